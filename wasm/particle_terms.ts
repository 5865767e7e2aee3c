/**
 * Terms of energies and gradients of particles, generic in what particles feel (P, a class of interaction.ts) and in the
 * precision (L, a class of lanes.ts). Nothing is exported from the module.
 *
 * Gradients work on a cell for each particle: x, y, their gradients, and two quotients on their way, 16 bytes each.
 */

/** Bytes of a cell of gradients. */
export const CELL: usize = 96;
/** How far the quotients are ahead of their use, in cells: about 70 cycles. */
const AHEAD: usize = 5 * CELL;

// @ts-ignore: decorator
@inline
/** scale · Σ pairs + box constant · Σ overshoot². */
export function pairsAndWalls<L>(parameters: usize, pairs: v128, walls: v128): v128 {
  const l = changetype<L>(0);
  return l.madd(l.splat(parameters, 64), walls, l.mul(l.splat(parameters, 0), pairs));
}

// @ts-ignore: decorator
@inline
/** An energy and what only the dimer feels, which is read from the first two cells of `cell` bytes. */
export function withDimer<L>(energy: v128, parameters: usize, cells: usize, cell: usize): v128 {
  const l = changetype<L>(0);
  const x0 = v128.load(cells);
  const y0 = v128.load(cells, 16);
  const x1 = v128.load(cells + cell);
  const y1 = v128.load(cells + cell, 16);
  const dx = l.sub(x0, x1);
  const dy = l.sub(y0, y1);
  const q = l.sub(l.sqrt(l.madd(dx, dx, l.mul(dy, dy))), l.splat(parameters, 48));
  const q2 = l.mul(q, q);
  const bond = l.madd(
    l.splat(parameters, 24), q, l.mul(l.madd(l.splat(parameters, 40), q2, l.splat(parameters, 32)), q2),
  );
  const sx = l.add(x0, x1);
  const tether = l.madd(sx, sx, l.madd(y0, y0, l.mul(y1, y1)));
  return l.add(l.madd(l.splat(parameters, 16), tether, energy), bond);
}

// @ts-ignore: decorator
@inline
/** Leaves (σ/r)² of the particles at (x0, y0) and (x1, y1) with the one of a cell there. */
function divide<L>(cell: usize, x0: v128, y0: v128, x1: v128, y1: v128, s2: v128): void {
  const l = changetype<L>(0);
  const x = v128.load(cell);
  const y = v128.load(cell, 16);
  const ax = l.sub(x0, x);
  const ay = l.sub(y0, y);
  const bx = l.sub(x1, x);
  const by = l.sub(y1, y);
  v128.store(cell, l.div(s2, l.madd(ax, ax, l.mul(ay, ay))), 64);
  v128.store(cell, l.div(s2, l.madd(bx, bx, l.mul(by, by))), 80);
}

// @ts-ignore: decorator
@inline
/**
 * Writes the gradient of one particle at (x, y), of which (gx, gy) and what its cell holds are summed over its pairs, to
 * rows, and returns walls + overshoot².
 */
function finish<L>(
  cell: usize, row: usize, b: usize, c: usize, d: usize,
  scale: v128, stiffness: v128, half: v128, x: v128, y: v128, gx: v128, gy: v128, walls: v128,
): v128 {
  const l = changetype<L>(0);
  const ox = l.overshoot(x, half);
  const oy = l.overshoot(y, half);
  const sx = l.add(gx, v128.load(cell, 32));
  const sy = l.add(gy, v128.load(cell, 48));
  l.toRows(row, b, c, d, l.madd(scale, sx, l.mul(stiffness, ox)), l.madd(scale, sy, l.mul(stiffness, oy)));
  return l.madd(ox, ox, l.madd(oy, oy, walls));
}

/**
 * Writes the gradients of pairs and walls to rows and returns the energy of both.
 *
 * With q = (σ/r)² and t = q³, the energies of pairs are summed as Σ t² (or t² − B/A t), and Σ q t² Δ (or q (t² − B/A t/2) Δ)
 * gathers in the cells: the gradient of the first sum is −12/σ² times the second.
 *
 * Two particles at a time meet all later ones, so that the gradient of a later one is read and written once for two pairs.
 * Quotients are computed some turns ahead and pass through memory: what waits for a division would fill the processor's
 * queues, and other work could not begin. Products of slope and distance are added and subtracted, not fused, so that half
 * of that work goes to the adders.
 *
 * @param particles number of particles
 * @param parameters the block
 * @param cells a cell for each particle, gradients 0
 * @param row first row of the gradient
 * @param b, c, d distances in bytes from there to the rows of the other lanes
 */
export function pairGradients<P, L>(
  particles: i32, parameters: usize, cells: usize, row: usize, b: usize, c: usize, d: usize,
): v128 {
  const p = changetype<P>(0);
  const l = changetype<L>(0);
  const half = l.splat(parameters, 56);
  const stiffness = l.mul(l.constant(2.0), l.splat(parameters, 64));
  const scale = l.div(l.mul(l.constant(-12.0), l.splat(parameters, 0)), l.splat(parameters, 8));
  const attraction = p.attraction(parameters);
  const end = cells + <usize>particles * CELL;
  const s2 = l.splat(parameters, 8);
  let pairs = l.constant(0.0);
  let walls = l.constant(0.0);
  let i = cells;
  for (; i + CELL < end; i += 2 * CELL) {
    const x0 = v128.load(i);
    const y0 = v128.load(i, 16);
    const x1 = v128.load(i, CELL);
    const y1 = v128.load(i, CELL + 16);
    let sum = l.constant(0.0);
    let gx0 = l.constant(0.0);
    let gy0 = l.constant(0.0);
    let gx1 = l.constant(0.0);
    let gy1 = l.constant(0.0);
    const first = i + 2 * CELL;
    for (let j = first; j < min(first + AHEAD, end); j += CELL) divide<L>(j, x0, y0, x1, y1, s2);
    for (let j = first; j < end; j += CELL) {
      if (j + AHEAD < end) divide<L>(j + AHEAD, x0, y0, x1, y1, s2);
      const q0 = v128.load(j, 64);
      const q1 = v128.load(j, 80);
      const square0 = l.mul(q0, q0);
      const square1 = l.mul(q1, q1);
      const t0 = l.mul(square0, q0);
      const t1 = l.mul(square1, q1);
      const e0 = p.energy(t0, attraction);
      const e1 = p.energy(t1, attraction);
      const f0 = l.mul(p.virial(t0, e0, attraction), q0);
      const f1 = l.mul(p.virial(t1, e1, attraction), q1);
      sum = l.add(sum, l.add(e0, e1));
      const xj = v128.load(j);
      const yj = v128.load(j, 16);
      const fx0 = l.mul(f0, l.sub(x0, xj));
      const fx1 = l.mul(f1, l.sub(x1, xj));
      gx0 = l.add(gx0, fx0);
      gx1 = l.add(gx1, fx1);
      v128.store(j, l.sub(v128.load(j, 32), l.add(fx0, fx1)), 32);
      const fy0 = l.mul(f0, l.sub(y0, yj));
      const fy1 = l.mul(f1, l.sub(y1, yj));
      gy0 = l.add(gy0, fy0);
      gy1 = l.add(gy1, fy1);
      v128.store(j, l.sub(v128.load(j, 48), l.add(fy0, fy1)), 48);
    }
    if (!p.bonded() || i > cells) {
      const dx = l.sub(x0, x1);
      const dy = l.sub(y0, y1);
      const q = l.div(s2, l.madd(dx, dx, l.mul(dy, dy)));
      const t = l.mul(l.mul(q, q), q);
      const e = p.energy(t, attraction);
      sum = l.add(sum, e);
      const f = l.mul(p.virial(t, e, attraction), q);
      const fx = l.mul(f, dx);
      const fy = l.mul(f, dy);
      gx0 = l.add(gx0, fx);
      gy0 = l.add(gy0, fy);
      gx1 = l.sub(gx1, fx);
      gy1 = l.sub(gy1, fy);
    }
    pairs = l.add(pairs, sum);
    walls = finish<L>(i, row, b, c, d, scale, stiffness, half, x0, y0, gx0, gy0, walls);
    walls = finish<L>(i + CELL, row + 16, b, c, d, scale, stiffness, half, x1, y1, gx1, gy1, walls);
    row += 32;
  }
  if (i < end) {
    const none = l.constant(0.0);
    walls = finish<L>(
      i, row, b, c, d, scale, stiffness, half, v128.load(i), v128.load(i, 16), none, none, walls,
    );
  }
  return pairsAndWalls<L>(parameters, pairs, walls);
}

// @ts-ignore: decorator
@inline
/** U′/d of the bond, so that its gradient is this times the distance vector. */
function bondSlope<L>(parameters: usize, dx: v128, dy: v128): v128 {
  const l = changetype<L>(0);
  const d = l.sqrt(l.madd(dx, dx, l.mul(dy, dy)));
  const q = l.sub(d, l.splat(parameters, 48));
  const two = l.constant(2.0);
  const inner = l.madd(l.mul(two, l.splat(parameters, 40)), l.mul(q, q), l.splat(parameters, 32));
  return l.div(l.madd(l.mul(two, q), inner, l.splat(parameters, 24)), d);
}

// @ts-ignore: decorator
@inline
/** 2 k_d. */
function tetherStiffness<L>(parameters: usize): v128 {
  const l = changetype<L>(0);
  return l.mul(l.constant(2.0), l.splat(parameters, 16));
}

/** Adds the gradients of the bond and of the tethers to the dimer's part of the rows at g, g + b, g + c and g + d. */
export function addDimer<L>(parameters: usize, g: usize, b: usize, c: usize, d: usize, cells: usize): void {
  const l = changetype<L>(0);
  const x0 = v128.load(cells);
  const y0 = v128.load(cells, 16);
  const x1 = v128.load(cells, CELL);
  const y1 = v128.load(cells, CELL + 16);
  const dx = l.sub(x0, x1);
  const dy = l.sub(y0, y1);
  const slope = bondSlope<L>(parameters, dx, dy);
  const stiffness = tetherStiffness<L>(parameters);
  const tether = l.mul(stiffness, l.add(x0, x1));
  l.addToRows(g, b, c, d, l.madd(slope, dx, tether), l.madd(slope, dy, l.mul(stiffness, y0)));
  l.addToRows(g + 16, b, c, d, l.nmadd(slope, dx, tether), l.nmadd(slope, dy, l.mul(stiffness, y1)));
}
