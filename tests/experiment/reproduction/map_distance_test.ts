import { assert, assertAlmostEquals } from "@std/assert";
import { compareMaps } from "../../../src/experiment/reproduction/map_distance.ts";
import { RandomStream } from "../../../src/random/random_stream.ts";

const z = new RandomStream(1).fillNormals(new Float64Array(4000));
const turned = (angle: number, sign: number) =>
  z.map((_, i) => {
    const [a, b] = [z[i - i % 2], sign * z[i - i % 2 + 1]];
    return i % 2 === 0 ? Math.cos(angle) * a - Math.sin(angle) * b : Math.sin(angle) * a + Math.cos(angle) * b;
  });

Deno.test("compareMaps sees through rotations and reflections", () => {
  for (const angle of [0, 0.7, Math.PI / 2, -2.5]) {
    for (const sign of [1, -1]) {
      const { distance, aligned } = compareMaps(turned(angle, sign), z);
      assertAlmostEquals(distance.value!, 0, 1e-7);
      aligned.forEach((value, i) => assertAlmostEquals(value, z[i], 1e-9));
    }
  }
});

Deno.test("compareMaps sees everything else", () => {
  // One coordinate squeezed: ⟨(0.5 z₂)²⟩ = 0.25, and no rotation helps.
  const squeezed = z.map((value, i) => i % 2 === 0 ? value : 0.5 * value);
  const { distance } = compareMaps(squeezed, z);
  assert(Math.abs(distance.value! - 0.5) < 4 * distance.standardError!);

  // Unrelated normal numbers: ⟨|z − z′|²⟩ = 4, of which the best rotation saves little.
  const other = new RandomStream(2).fillNormals(new Float64Array(4000));
  assertAlmostEquals(compareMaps(other, z).distance.value!, 2, 0.1);
});
