/**
 * What particles of our systems feel among each other, for kernels that are generic in it and in the precision: ε (σ/r)¹²
 * with particles 0 and 1 bonded instead (the dimer), or A (σ/r)¹² − B (σ/r)⁶ between all (a fluid). t stands for (σ/r)⁶.
 *
 * The two have one parameter block of float64: scale (ε or A), σ², k_d, c₁, c₂, c₄, d₀, half box, box constant,
 * scale · σ¹², B/A, B/(A σ⁶). A fluid ignores k_d to d₀, the dimer B.
 */

/** Repelling discs of which 0 and 1 are bonded. L: the precision, a class of lanes.ts. */
export class BondedDiscs<L> {
  // @ts-ignore: decorator
  @inline
  /** Whether particles 0 and 1 feel bond, tethers and bias instead of the pair term. */
  bonded(): bool {
    return true;
  }
  // @ts-ignore: decorator
  @inline
  /** B/A. */
  attraction(_parameters: usize): v128 {
    return changetype<L>(0).constant(0.0);
  }
  // @ts-ignore: decorator
  @inline
  /** B/(A σ⁶). */
  attractionOfMoves(_parameters: usize): v128 {
    return changetype<L>(0).constant(0.0);
  }
  // @ts-ignore: decorator
  @inline
  /** sum + pair energy / scale. */
  add(t: v128, _attraction: v128, sum: v128): v128 {
    return changetype<L>(0).madd(t, t, sum);
  }
  // @ts-ignore: decorator
  @inline
  /** Pair energy / scale. */
  energy(t: v128, _attraction: v128): v128 {
    return changetype<L>(0).mul(t, t);
  }
  // @ts-ignore: decorator
  @inline
  /** −r/12 · d(pair energy / scale)/dr, given the energy. */
  virial(_t: v128, energy: v128, _attraction: v128): v128 {
    return energy;
  }
  // @ts-ignore: decorator
  @inline
  /** Numerator of the change of r⁻¹² over a⁶ b⁶, where a and b are squared distances before and after. */
  change(a3: v128, b3: v128, a6: v128, b6: v128, _attraction: v128): v128 {
    return changetype<L>(0).sub(a6, b6);
  }
}

/** Particles that all repel and attract each other alike. L: the precision. */
export class Fluid<L> {
  // @ts-ignore: decorator
  @inline
  bonded(): bool {
    return false;
  }
  // @ts-ignore: decorator
  @inline
  attraction(parameters: usize): v128 {
    return changetype<L>(0).splat(parameters, 80);
  }
  // @ts-ignore: decorator
  @inline
  attractionOfMoves(parameters: usize): v128 {
    return changetype<L>(0).splat(parameters, 88);
  }
  // @ts-ignore: decorator
  @inline
  /** sum + t² − (B/A) t. */
  add(t: v128, attraction: v128, sum: v128): v128 {
    const l = changetype<L>(0);
    return l.madd(t, l.sub(t, attraction), sum);
  }
  // @ts-ignore: decorator
  @inline
  energy(t: v128, attraction: v128): v128 {
    const l = changetype<L>(0);
    return l.mul(t, l.sub(t, attraction));
  }
  // @ts-ignore: decorator
  @inline
  /** t² − (B/A) t/2. */
  virial(t: v128, _energy: v128, attraction: v128): v128 {
    const l = changetype<L>(0);
    return l.mul(t, l.nmadd(l.constant(0.5), attraction, t));
  }
  // @ts-ignore: decorator
  @inline
  /** 1/b⁶ − 1/a⁶ − B/(A σ⁶) (1/b³ − 1/a³) = [a⁶ − b⁶ − B/(A σ⁶) (a³ − b³) a³ b³]/(a⁶ b⁶). */
  change(a3: v128, b3: v128, a6: v128, b6: v128, attraction: v128): v128 {
    const l = changetype<L>(0);
    const attractive = l.mul(l.mul(attraction, l.sub(a3, b3)), l.mul(a3, b3));
    return l.sub(l.sub(a6, b6), attractive);
  }
}
