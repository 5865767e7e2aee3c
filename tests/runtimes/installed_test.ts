/** Tests of other runtimes say what is missing, and never pass for its lack. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { tryDeno } from "../support/deno_process.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";
import { serveFolder } from "./static_server.ts";

const installed = new URL("installed.ts", import.meta.url).href;

/** Runs a test that needs something, on a machine that has nothing but Deno. */
async function runWhereMissing(need: string, ci: "true" | "") {
  return await inTemporaryDirectory(async (folder) => {
    await Deno.copyFile(new URL(installed), `${folder}/installed.ts`);
    const test = `import { runtimeTest } from "./installed.ts";
      runtimeTest("a runtime works", [${JSON.stringify(need)}], () => Promise.reject(new Error("ran")));`;
    await Deno.writeTextFile(`${folder}/a_test.ts`, test);
    return await tryDeno(["test", "-A", "--no-check", "--no-config", `${folder}/a_test.ts`], {
      env: { PATH: folder, CI: ci },
    });
  });
}

Deno.test("runtimeTest() ignores a test where its runtime is missing, and says what to install", async () => {
  const remedies = {
    chromium: "apt install chromium",
    node: "install Node 20 or newer",
    bun: "npm ci --ignore-scripts --prefix tests/runtimes/packages",
  };
  for (const [need, remedy] of Object.entries(remedies)) {
    const { code, stdout } = await runWhereMissing(need, "");

    assertEquals(code, 0, stdout);
    assertStringIncludes(stdout, `a runtime works (skipped, ${remedy}) ... ignored`);
    assertMatch(stdout, /0 passed \| 0 failed \| 1 ignored/);
  }
});

Deno.test("runtimeTest() fails in CI where a runtime is missing", async () => {
  const { code, stdout } = await runWhereMissing("chromium", "true");

  assertEquals(code, 1);
  assertStringIncludes(stdout, "Cannot test a runtime works: everything must be installed for CI, got less: skipped,");
  assertMatch(stdout, /0 passed \| 1 failed/);
});

Deno.test("serveFolder() serves files with the types that browsers ask for, nothing above them, and isolates if told", async () => {
  await inTemporaryDirectory(async (folder) => {
    await Deno.mkdir(`${folder}/site`);
    await Deno.writeTextFile(`${folder}/site/index.html`, "page");
    await Deno.writeTextFile(`${folder}/site/a.wasm`, "x");
    await Deno.writeTextFile(`${folder}/secret`, "secret");
    const seen: string[] = [];
    const onRequest = (path: string, status: number) => seen.push(`${path} ${status}`);
    await using plain = serveFolder(`${folder}/site`, { onRequest });
    await using isolated = serveFolder(`${folder}/site`, { isolated: true });
    const get = async (origin: string, path: string) => {
      const response = await fetch(`${origin}${path}`);
      return { status: response.status, text: await response.text(), headers: response.headers };
    };

    const page = await get(plain.origin, "/");
    assertEquals([page.text, page.headers.get("content-type")], ["page", "text/html; charset=utf-8"]);
    assertEquals(page.headers.get("cross-origin-opener-policy"), null);
    assertEquals((await get(plain.origin, "/a.wasm")).headers.get("content-type"), "application/wasm");
    assertEquals((await get(plain.origin, "/%2e%2e%2fsecret")).status, 404);
    assertEquals((await get(isolated.origin, "/")).headers.get("cross-origin-opener-policy"), "same-origin");
    assertEquals(seen, ["/index.html 200", "/a.wasm 200", "/../secret 404"]);
  });
});
