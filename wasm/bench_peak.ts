import { madd } from "./simd";

/**
 * Runs 12 independent chains of fused multiply-adds, `iterations` times: 96 flop per iteration at the speed limit of
 * 128-bit SIMD. A yardstick for tests/bench; no computation uses it. Writes the sum of the chains to 4 floats at `out`.
 */
export function fmaPeakF32(iterations: i32, out: usize): void {
  const scale = v128.load(out), shift = v128.load(out, 16);
  let a = shift, b = shift, c = shift, d = shift, e = shift, f = shift;
  let g = shift, h = shift, i = shift, j = shift, k = shift, l = shift;
  for (; iterations > 0; --iterations) {
    a = madd(a, scale, shift);
    b = madd(b, scale, shift);
    c = madd(c, scale, shift);
    d = madd(d, scale, shift);
    e = madd(e, scale, shift);
    f = madd(f, scale, shift);
    g = madd(g, scale, shift);
    h = madd(h, scale, shift);
    i = madd(i, scale, shift);
    j = madd(j, scale, shift);
    k = madd(k, scale, shift);
    l = madd(l, scale, shift);
  }
  a = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  v128.store(out, f32x4.add(a, f32x4.add(f32x4.add(i, j), f32x4.add(k, l))));
}
