import { assertEquals } from "@std/assert";
import { checkWasmFresh } from "../../scripts/check_wasm_fresh.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

/** A build that gives the same two little files every time. */
async function build(directory: string): Promise<string[]> {
  await Deno.writeFile(`${directory}/a.wasm`, Uint8Array.of(0, 1, 2));
  await Deno.writeFile(`${directory}/b.wasm`, Uint8Array.of(3));
  return [`${directory}/a.wasm`, `${directory}/b.wasm`];
}

Deno.test("checkWasmFresh() accepts the same bytes and names every other case", async () => {
  await inTemporaryDirectory(async (committed) => {
    await build(committed);
    await Deno.writeTextFile(`${committed}/wasm.ts`, "");
    assertEquals(await checkWasmFresh(committed, build), []);

    await Deno.writeFile(`${committed}/a.wasm`, Uint8Array.of(0, 9, 2));
    await Deno.writeFile(`${committed}/b.wasm`, Uint8Array.of(3, 4));
    await Deno.writeFile(`${committed}/old.wasm`, Uint8Array.of(3));
    assertEquals(await checkWasmFresh(committed, build), [
      "a.wasm must equal a fresh build of 3 bytes, got 3 bytes that differ from byte 1 on",
      "b.wasm must equal a fresh build of 1 bytes, got 2 bytes that differ from byte 1 on",
      "old.wasm must be a build of wasm/, got another file",
    ]);

    await Deno.truncate(`${committed}/a.wasm`, 1);
    await Deno.remove(`${committed}/b.wasm`);
    assertEquals((await checkWasmFresh(committed, build)).slice(0, 2), [
      "a.wasm must equal a fresh build of 3 bytes, got 1 bytes that differ from byte 1 on",
      "b.wasm must be committed, got no such file",
    ]);
  });
});
