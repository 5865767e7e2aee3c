/**
 * `**` is as approximate as `Math.pow`, and cannot be made to throw: it is looked for in the sources of whatever leads
 * from data to the bytes of a model.
 */
import { assertEquals } from "@std/assert";

const folders = [
  "random",
  "nn",
  "optim",
  "autodiff",
  "system",
  "sampling",
  "flow",
  "loss",
  "training",
  "hybrid",
  "onnx",
];
/** Powers of two and of the sizes of grids: whole numbers, which every engine gets right. */
const EXACT = /(?<![\w.\]])(2|-2|basis|coarse|m|tilt\.basis) \*\* /g;
/** Off the path: oracles, exact values of small systems, the audit of a flow; and the function that replaces `**`, where it is exact. */
const OFF_THE_PATH = [
  "autodiff/primitives/tilted_density.ts",
  "flow/audit_flow.ts",
  "system/double_well.ts",
  "random/elementary.ts",
];

function withoutComments(source: string): string {
  return source.replace(/\/\*.*?\*\//gs, "").replace(/\/\/.*$/gm, "");
}

/** Lines with powers that are not exact. */
function findPowers(source: string): string[] {
  const lines = withoutComments(source).split("\n");
  return lines.map((line) => line.trim()).filter((line) => line.replace(EXACT, "").includes("**"));
}

Deno.test("no ** whose last bits engines choose is on the path from data to model bytes", async () => {
  const src = new URL("../../src/", import.meta.url);
  const found: string[] = [];
  for (const folder of folders) {
    for await (const path of filesBelow(new URL(`${folder}/`, src))) {
      const name = path.href.slice(src.href.length);
      if (!name.endsWith(".ts") || OFF_THE_PATH.includes(name)) continue;
      found.push(...findPowers(await Deno.readTextFile(path)).map((line) => `${name}: ${line}`));
    }
  }
  assertEquals(found, []);
});

async function* filesBelow(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

Deno.test("the search sees powers in code, not in comments, and lets powers of two pass", () => {
  assertEquals(findPowers("/** x ** 3 */\nconst a = 2 ** k; // y ** 2\nconst b = basis ** dim;"), []);
  assertEquals(findPowers("const c = sigma ** 12;\nconst d = x2 ** 3;\nconst e = (a - b) ** 2;").length, 3);
});
