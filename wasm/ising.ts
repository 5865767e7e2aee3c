/**
 * Monte Carlo of Ising spins on L × L tori, four chains side by side in the lanes.
 *
 * Chains come in groups of four. Each group owns its spins [site][4 lanes], −1 or 1, and a table of ten rows of four
 * words: seed (lower, upper word), stream, chain; probabilities as 64-bit thresholds (upper, lower word), a random word
 * below which says yes: to turn a spin with three parallel neighbours, with four, and to add a neighbour to a cluster.
 * A chain at a block of random numbers is a function of seed, stream and chain alone. Whole numbers only: every build and
 * every machine walks through the same configurations.
 */
import { drawFour, drawOne } from "./philox";

/** Bytes of a site and of a row of a table: four words. */
const SITE: usize = 16;
/** Bytes of a table. */
const TABLE: usize = 160;
/** Three quarters: upper words of a random number below it turn a spin that costs nothing. */
const EVEN: i32 = 0xc0000000;

// @ts-ignore: decorator
@inline
/** Offset of the neighbour one step back, around the torus. */
function before(at: usize, step: usize, span: usize): usize {
  return at == 0 ? span - step : at - step;
}

// @ts-ignore: decorator
@inline
/** Offset of the neighbour one step on. */
function after(at: usize, step: usize, span: usize): usize {
  const next = at + step;
  return next == span ? 0 : next;
}

// @ts-ignore: decorator
@inline
/** The row of a table for three or four parallel neighbours, lane by lane. */
function byNeighbours(three: v128, table: usize, row: usize): v128 {
  return v128.bitselect(v128.load(table + row), v128.load(table + row + 2 * SITE), three);
}

/**
 * Advances groups of chains by whole Metropolis sweeps: each site in turn is offered a turn of its spin, accepted with
 * probability min(1, exp(−2K h)), h = s_i Σ s_j over the four neighbours, and 3/4 where h = 0.
 *
 * With 1 for h = 0 chains that visit sites in order are not ergodic: walls between domains that cost nothing to move then
 * move in every sweep, and some go round for ever. With less than 1 every configuration leads to the one that is all up.
 *
 * A sweep has 2⌈L²/4⌉ blocks of random numbers from `block` on: the first half are the upper words of the sites, the
 * other half the lower ones. These are made only where the upper word is that of the threshold, once in 2³² times, which
 * a generator without state allows.
 *
 * @param groups groups of four chains
 * @param side L
 * @param sweeps turns offered to every spin
 * @param block number of the first block, below 2⁵³
 * @param tables [groups][10][4]
 * @param spins [groups][L²][4], changed
 * @param turns [groups][4] float64, turns that were made, added to
 * @param scratch 128 bytes
 */
export function isingMetropolisI32(
  groups: i32, side: i32, sweeps: i32, block: f64, tables: usize, spins: usize, turns: usize, scratch: usize,
): void {
  const row = <usize>side * SITE;
  const size = <usize>side * row;
  const zero = i32x4.splat(0);
  const two = i32x4.splat(2);
  const blocks = (<u64>side * <u64>side + 3) >> 2;
  for (; groups > 0; --groups) {
    let next = <u64>block;
    for (let s = 0; s < sweeps; ++s) {
      let made = zero;
      let word: usize = 64;
      for (let r: usize = 0; r < size; r += row) {
        const above = spins + before(r, row, size);
        const under = spins + after(r, row, size);
        const here = spins + r;
        for (let c: usize = 0; c < row; c += SITE) {
          if (word == 64) {
            drawFour(tables, next++, scratch);
            word = 0;
          }
          const spin = v128.load(here + c);
          const vertical = i32x4.add(v128.load(above + c), v128.load(under + c));
          const left = v128.load(here + before(c, SITE, row));
          const h = i32x4.mul(spin, i32x4.add(vertical, i32x4.add(left, v128.load(here + after(c, SITE, row)))));
          const costs = i32x4.gt_s(h, zero);
          const three = i32x4.eq(h, two);
          const upper = v128.load(scratch + word);
          const limit = v128.bitselect(byNeighbours(three, tables, 64), i32x4.splat(EVEN), costs);
          let turn = v128.or(i32x4.lt_s(h, zero), i32x4.lt_u(upper, limit));
          const tied = v128.and(costs, i32x4.eq(upper, limit));
          if (v128.any_true(tied)) {
            drawFour(tables, next - 1 + blocks, scratch + 64);
            const less = i32x4.lt_u(v128.load(scratch + 64 + word), byNeighbours(three, tables, 80));
            turn = v128.or(turn, v128.and(tied, less));
          }
          v128.store(here + c, v128.bitselect(i32x4.neg(spin), spin, turn));
          made = i32x4.sub(made, turn);
          word += 16;
        }
      }
      next += blocks;
      v128.store(turns, f64x2.add(v128.load(turns), f64x2.convert_low_i32x4_s(made)));
      const other = v128.shuffle<i64>(made, made, 1, 1);
      v128.store(turns, f64x2.add(v128.load(turns, 16), f64x2.convert_low_i32x4_s(other)), 16);
    }
    tables += TABLE;
    spins += size;
    turns += 32;
  }
}

/**
 * Advances groups of chains by clusters: from a random site on, neighbours that are parallel are added with probability
 * 1 − exp(−2K) per bond, and all of it is turned (Wolff, Phys. Rev. Lett. 62, 361, 1989).
 *
 * A cluster takes the blocks of random numbers from its own first on, of which it has 2L² + 1: one for the site, whose
 * number is the upper word of 64 bits times L², and half a block for each bond that is tried.
 *
 * @param groups groups of four chains
 * @param side L
 * @param clusters clusters to turn in each chain
 * @param block number of the first block, below 2⁵³
 * @param tables [groups][10][4]
 * @param spins [groups][L²][4], changed
 * @param turns [groups][4] float64, spins that were turned, added to
 * @param scratch 16 bytes, then L² int32
 */
export function isingWolffI32(
  groups: i32, side: i32, clusters: i32, block: f64, tables: usize, spins: usize, turns: usize, scratch: usize,
): void {
  const row = <usize>side * SITE;
  const size = <usize>side * row;
  const sites = <u64>side * <u64>side;
  for (; groups > 0; --groups) {
    for (let lane: usize = 0; lane < 16; lane += 4) {
      const threshold = (<u64>load<u32>(tables + lane, 128) << 32) | <u64>load<u32>(tables + lane, 144);
      let first = <u64>block;
      let turned: f64 = 0;
      for (let k = 0; k < clusters; ++k, first += 2 * sites + 1) {
        drawOne(tables + lane, first, scratch);
        const seed = <usize>((<u64>load<u32>(scratch, 4) * sites) >> 32) * SITE;
        turned += turnCluster(tables + lane, spins + lane, seed, row, size, threshold, first + 1, scratch);
      }
      store<f64>(turns + (lane << 1), load<f64>(turns + (lane << 1)) + turned);
    }
    tables += TABLE;
    spins += size;
    turns += 32;
  }
}

// @ts-ignore: decorator
@inline
/** Turns the cluster of a site in one chain and returns how many spins it had; offsets of open sites are stacked. */
function turnCluster(
  source: usize, spins: usize, seed: usize, row: usize, size: usize, threshold: u64, block: u64, scratch: usize,
): f64 {
  const stack = scratch + 16;
  const old = load<i32>(spins + seed);
  let word: usize = 16;
  let top = stack;
  let count: f64 = 1;
  store<i32>(spins + seed, -old);
  store<i32>(top, <i32>seed);
  top += 4;
  while (top != stack) {
    top -= 4;
    const at = <usize>load<i32>(top);
    const c = at % row;
    const r = at - c;
    for (let side = 0; side < 4; ++side) {
      let next: usize;
      if (side == 0) next = r + before(c, SITE, row);
      else if (side == 1) next = r + after(c, SITE, row);
      else if (side == 2) next = c + before(r, row, size);
      else next = c + after(r, row, size);
      if (load<i32>(spins + next) != old) continue;
      if (word == 16) {
        drawOne(source, block++, scratch);
        word = 0;
      }
      const bits = load<u64>(scratch + word);
      word += 8;
      if (bits >= threshold) continue;
      store<i32>(spins + next, -old);
      store<i32>(top, <i32>next);
      top += 4;
      count += 1;
    }
  }
  return count;
}
