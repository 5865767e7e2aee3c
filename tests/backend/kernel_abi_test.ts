import { assert, assertEquals, assertGreater } from "@std/assert";
import * as reference from "../../src/backend/reference.ts";
import { exportedOpcodes, relaxedMultiplyAdds, simdArithmetic, simdPrefix } from "../support/wasm_opcodes.ts";
import { builds } from "./kernel_harness.ts";

const denseSources = ["gemm", "elementwise", "coupling", "reduce", "layout", "optimizer"];
const names = Object.keys(reference).sort();

function wasmBytes(build: string): Uint8Array {
  return Deno.readFileSync(new URL(`../../src/backend/kernels_${build}.wasm`, import.meta.url));
}

Deno.test("every exported dense kernel has a reference and every reference a kernel", async () => {
  const exported: string[] = [];
  for (const source of denseSources) {
    const text = await Deno.readTextFile(new URL(`../../wasm/${source}.ts`, import.meta.url));
    exported.push(...[...text.matchAll(/^export function (\w+)\(/gm)].map((match) => match[1]));
  }
  assertEquals(exported.sort(), names);
});

Deno.test("both builds export the references with as many parameters", () => {
  const functions = reference as unknown as Record<string, { length: number }>;
  for (const { exports } of builds) {
    for (const name of names) {
      assertEquals([name, exports[name]?.length], [name, functions[name].length]);
    }
  }
});

Deno.test("both builds export the same names and import one memory", () => {
  const [relaxed, baseline] = builds.map(({ module }) => WebAssembly.Module.exports(module));
  assertEquals(relaxed, baseline);
  for (const { module, exports } of builds) {
    assertEquals(WebAssembly.Module.imports(module), [
      { module: "./shared_memory.ts", name: "memory", kind: "memory" },
    ]);
    assertEquals(exports.abiVersion(), 4);
    const heapBase = exports.heapBase() as number;
    assert(heapBase > 0 && heapBase < 65536, `heapBase ${heapBase}`);
  }
});

Deno.test("dense kernels compute with SIMD, and with fused multiply-adds in the relaxed build alone", () => {
  const moves = ["packF32", "packTransposeF32", "broadcastRowF32", "fillF64", "gatherFeaturesF32", "insertFeaturesF32"];
  for (const { name: build } of builds) {
    const opcodes = exportedOpcodes(wasmBytes(build));
    for (const name of names.filter((name) => !moves.includes(name))) {
      assertGreater(simdArithmetic(opcodes.get(name)!), 0, `${name} (${build})`);
    }
    for (const name of ["linearF32", "linearInputGradF32", "linearWeightGradF32", "tanhF32", "affineForwardF32"]) {
      const fused = relaxedMultiplyAdds.some((sub) => opcodes.get(name)!.has(simdPrefix * 65536 + sub));
      assertEquals([name, fused], [name, build === "relaxed"]);
    }
  }
});

Deno.test("exportedOpcodes finds no SIMD in a scalar function and does not mistake constants for it", () => {
  // (func (export "f") (drop (i64.const bytes that read as SIMD)) (drop (f64.const …)))
  const module = new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0],
    ...[10, 16, 1, 14, 0, 0x41, 0xfd, 0x01, 0x1a, 0x44, 0xfd, 0x85, 0x02, 0xfd, 0x85, 0x02, 0xfd, 0x85],
  ]);
  const whole = new Uint8Array([...module, 0x1a, 0x0b]);
  whole[26] = 18, whole[28] = 16;
  const counts = exportedOpcodes(whole).get("f")!;
  assertEquals(simdArithmetic(counts), 0);
  assertEquals([...counts.keys()].sort((a, b) => a - b), [0x0b, 0x1a, 0x41, 0x44]);
});
