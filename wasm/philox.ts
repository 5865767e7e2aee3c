/**
 * Philox4x32-10 for kernels that draw: random words are a function of (seed, stream, chain) and a block's number, the
 * same as those of `RandomStream` in src/random. Everything here is inlined; nothing is exported from the module.
 *
 * Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
 */

const MULTIPLIER_0: u32 = 0xd2511f53;
const MULTIPLIER_1: u32 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;

// @ts-ignore: decorator
@inline
/** Lower words of a·m in four lanes, given the products of lanes 0, 1 and of lanes 2, 3. */
function lowWords(first: v128, second: v128): v128 {
  return v128.shuffle<i32>(first, second, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function highWords(first: v128, second: v128): v128 {
  return v128.shuffle<i32>(first, second, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
/**
 * Writes a block of four words for each of four chains: [4 words][4 chains] at `out`.
 *
 * @param source rows of four chains: lower words of the seeds, upper words, streams, chains
 * @param block the number of the block
 * @param out where to
 */
export function drawFour(source: usize, block: u64, out: usize): void {
  const m0 = i32x4.splat(MULTIPLIER_0);
  const m1 = i32x4.splat(MULTIPLIER_1);
  let c0 = i32x4.splat(<i32>block);
  let c1 = i32x4.splat(<i32>(block >> 32));
  let c2 = v128.load(source, 32);
  let c3 = v128.load(source, 48);
  let k0 = v128.load(source);
  let k1 = v128.load(source, 16);
  for (let round = 0; round < 10; round++) {
    const a = i64x2.extmul_low_i32x4_u(c0, m0);
    const b = i64x2.extmul_high_i32x4_u(c0, m0);
    const c = i64x2.extmul_low_i32x4_u(c2, m1);
    const d = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(highWords(c, d), c1), k0);
    c1 = lowWords(c, d);
    c2 = v128.xor(v128.xor(highWords(a, b), c3), k1);
    c3 = lowWords(a, b);
    k0 = i32x4.add(k0, i32x4.splat(WEYL_0));
    k1 = i32x4.add(k1, i32x4.splat(WEYL_1));
  }
  v128.store(out, c0);
  v128.store(out, c1, 16);
  v128.store(out, c2, 32);
  v128.store(out, c3, 48);
}

// @ts-ignore: decorator
@inline
/**
 * Writes the block of one of the four chains: 64 random bits at `out` and 64 at `out` + 8, lower words first.
 *
 * @param source rows of four chains as for `drawFour`, from the word of the chain on
 * @param block the number of the block
 * @param out where to
 */
export function drawOne(source: usize, block: u64, out: usize): void {
  let c0 = <u32>block;
  let c1 = <u32>(block >> 32);
  let c2 = load<u32>(source, 32);
  let c3 = load<u32>(source, 48);
  let k0 = load<u32>(source);
  let k1 = load<u32>(source, 16);
  for (let round = 0; round < 10; round++) {
    const a = <u64>c0 * <u64>MULTIPLIER_0;
    const b = <u64>c2 * <u64>MULTIPLIER_1;
    c0 = <u32>(b >> 32) ^ c1 ^ k0;
    c1 = <u32>b;
    c2 = <u32>(a >> 32) ^ c3 ^ k1;
    c3 = <u32>a;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  store<u32>(out, c0);
  store<u32>(out, c1, 4);
  store<u32>(out, c2, 8);
  store<u32>(out, c3, 12);
}
