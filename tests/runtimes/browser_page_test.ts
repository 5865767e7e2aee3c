/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import type { CatalogueEntry } from "../../examples/browser/source/catalogue.ts";
import { loadSampler } from "../../src/sampler/mod.ts";
import { type Chromium, type Page, startChromium } from "./chromium.ts";
import { runtimeTest } from "./installed.ts";
import { serveFolder, type StaticServer } from "./static_server.ts";

const site = decodeURIComponent(new URL("../../examples/browser", import.meta.url).pathname);
const needs = ["packages", "chromium"] as const;

/** A page with what went wrong on it. */
interface Watched {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught exceptions, and requests to other servers. */
  readonly faults: string[];
}

/** Opens the page and adds up its layout shifts in `shifts`. */
async function open(browser: Chromium, server: StaticServer, options: Record<string, unknown> = {}): Promise<Watched> {
  const page = await browser.newPage(options);
  const faults: string[] = [];
  page.setDefaultTimeout(30_000);
  page.on("console", (message: { type(): string; text(): string }) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error: Error) => faults.push(error.message));
  page.on("request", (request: { url(): string }) => {
    if (!request.url().startsWith(`${server.origin}/`) && !request.url().startsWith("data:")) {
      faults.push(request.url());
    }
  });
  await page.addInitScript(`
    globalThis.shifts = 0;
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts += value;
    }).observe({ type: "layout-shift", buffered: true });
  `);
  await page.goto(`${server.origin}/`);
  return { page, faults };
}

/** File of the model that the page opens: the first preset at T₀. */
async function firstModel(): Promise<string> {
  const list: CatalogueEntry[] = JSON.parse(await Deno.readTextFile(`${site}/models/models.json`));
  return list.find(({ preset, temperature }) => preset === list[0].preset && temperature === 1)!.sampler;
}

function textOf(page: Page, id: string): Promise<string> {
  return page.evaluate((id) => document.getElementById(id)!.textContent!.trim(), id);
}

async function samples(page: Page): Promise<number> {
  return Number((await textOf(page, "n")).replaceAll(",", ""));
}

/** Waits until the model is loaded, a configuration is on display and a path is found. */
async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document.getElementById("caption")!.textContent!.startsWith("Configuration") &&
    !(document.getElementById("walk") as HTMLButtonElement).disabled
  );
}

/** Different colours on a canvas. */
function colours(page: Page, id: string): Promise<number> {
  return page.evaluate((id) => {
    const context = (document.getElementById(id) as HTMLCanvasElement).getContext("2d")!;
    const { width, height } = context.canvas;
    return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
  }, id);
}

/** A value with the half-width of its band, as the table writes it. */
function parseLevel(text: string): { value: number; half: number } | null {
  const [value, half] = text.replaceAll("−", "-").split(" ± ").map(Number);
  return Number.isFinite(value) && Number.isFinite(half) ? { value, half } : null;
}

/** Bins of the table with at least 50 effective samples, as many as the page trusts: how many errors samples and reference are apart in each. */
async function distances(page: Page): Promise<number[]> {
  const rows = await page.evaluate(() =>
    Array.from(
      document.querySelectorAll("#profile-rows tr"),
      (row) => Array.from(row.querySelectorAll("td"), (cell) => cell.textContent!),
    )
  );
  return rows.flatMap(([level, effective, reference]) => {
    const [ours, theirs] = [parseLevel(level), parseLevel(reference)];
    if (ours === null || theirs === null || Number(effective.replaceAll(",", "")) < 50) return [];
    return [1.96 * Math.abs(ours.value - theirs.value) / Math.hypot(ours.half, theirs.half, 0.005)];
  });
}

runtimeTest("the page draws offline, moves nothing, and its profile comes near the reference", needs, async () => {
  await using server = serveFolder(site);
  await using browser = await startChromium();
  const { page, faults } = await open(browser, server, { viewport: { width: 1280, height: 1600 } });
  await ready(page);
  const first = await textOf(page, "caption");
  for (const id of ["picture", "path-picture"]) assert(await colours(page, id) > 10, id);
  await page.waitForFunction(() =>
    Number(document.getElementById("n")!.textContent!.replaceAll(",", "")) >= 6000 &&
    document.getElementById("difference")!.title === ""
  );
  await page.waitForFunction((first: string) => document.getElementById("caption")!.textContent !== first, first);
  assert(await colours(page, "strip") > 10);
  assertEquals(await page.evaluate("shifts"), 0);
  await page.click("#profile-details summary");
  await page.waitForSelector("#profile-rows tr");
  await page.click("#go");
  await page.waitForFunction(() => document.getElementById("status")!.textContent!.startsWith("Paused."));

  const difference = parseLevel(await textOf(page, "difference"))!;
  const reference = parseLevel(await textOf(page, "reference"))!;
  // One number: four standard errors, and half a unit of the last digit for each of both.
  const apart = (value: number) =>
    Math.abs(value - reference.value) / (Math.hypot(difference.half, reference.half) + 0.0025);
  assert(apart(difference.value) < 4, `${apart(difference.value)}`);
  // Without weights, open and closed are drawn about equally often.
  const [drawn] = (await textOf(page, "shares")).split(" % / ").map(Number);
  assert(apart(Math.log((100 - drawn) / drawn)) > 8);
  // About ten bins with errors on 63 degrees of freedom: five for all is what four are for one.
  const bins = await distances(page);
  assert(bins.length >= 3 && Math.max(...bins) < 5, `${bins}`);
  assertEquals(faults, []);
  // What was measured as 0 can be measured: something above the page moves it. For half a second after input it may.
  await page.waitForTimeout(600);
  await page.evaluate(() => {
    scrollTo(0, 0);
    document.body.prepend(Object.assign(document.createElement("p"), { textContent: "moved" }));
  });
  await page.waitForFunction("shifts > 0");
});

runtimeTest("the page is worked by keyboard alone, and draws what Deno draws", needs, async () => {
  await using server = serveFolder(site);
  await using browser = await startChromium();
  // Whoever prefers stillness starts sampling himself.
  const { page, faults } = await open(browser, server, { reducedMotion: "reduce" });
  await ready(page);
  assertEquals(await samples(page), 1);
  const focus = async (id: string) => {
    for (let presses = 0; presses < 30; presses++) {
      if (await page.evaluate((id) => document.activeElement?.id === id, id)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`Cannot reach ${id}: Tab must lead there`);
  };
  const first = await textOf(page, "caption");
  await focus("step");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("n")!.textContent === "2");
  const second = await textOf(page, "caption");
  assert(second !== first && second === await textOf(page, "status"), `${second} | ${await textOf(page, "status")}`);

  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await focus("seed");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("n")!.textContent === "1");
  await page.waitForFunction((text: string) => document.getElementById("caption")!.textContent === text, first);

  await focus("path");
  const said = () => page.evaluate(() => document.getElementById("path")!.getAttribute("aria-valuetext")!);
  await page.keyboard.press("Home");
  assert((await said()).startsWith("closed, bond "));
  const closed = await said();
  await page.keyboard.press("ArrowRight");
  assert(await said() !== closed);
  await page.keyboard.press("End");
  assert((await said()).startsWith("open, bond "));
  await focus("another");
  await page.keyboard.press("Space");
  await ready(page);

  await focus("picture-details-summary");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#picture-rows tr");
  const table = await page.evaluate(() =>
    Array.from(document.querySelectorAll("#picture-rows td"), (cell) => Number(cell.textContent!.replace("−", "-")))
  );
  await using sampler = await loadSampler(await Deno.readFile(`${site}/${await firstModel()}`));
  const { x } = await sampler.sample(1, { seed: 1 });
  assertEquals(table.length, x.length);
  // Two decimals, and what float32 makes of the way from z to x: a hundredth of the last one of them.
  table.forEach((value, i) => assert(Math.abs(value - x[i]) < 0.0051, `${i}: ${value}, ${x[i]}`));

  // Another temperature is another model with a reference of its own; who changes his mind at once gets the last choice.
  const [facts, reference] = [await textOf(page, "facts"), await textOf(page, "reference")];
  await page.evaluate(() => document.getElementById("temperature")!.focus());
  const [back, there] = await page.evaluate(() =>
    (document.getElementById("temperature") as HTMLSelectElement).selectedIndex > 0
      ? ["ArrowDown", "ArrowUp"]
      : ["ArrowUp", "ArrowDown"]
  );
  await page.keyboard.press(there);
  await page.waitForFunction(
    (facts: string) => !document.getElementById("facts")!.textContent!.startsWith(facts),
    facts,
  );
  await ready(page);
  assert(await textOf(page, "reference") !== reference);
  for (const key of [back, there, back]) await page.keyboard.press(key);
  await page.waitForFunction((facts: string) => document.getElementById("facts")!.textContent === facts, facts);
  await ready(page);
  assertEquals([await textOf(page, "reference"), await textOf(page, "caption")], [reference, first]);
  assertEquals(faults, []);
});

/** Visible texts whose contrast with what is behind them is below what WCAG asks for, and controls without a name. */
function flaws(): string[] {
  const channels = (colour: string) => colour.match(/[\d.]+/g)!.map(Number);
  const luminance = ([r, g, b]: number[]) => {
    const linear = [r, g, b].map((v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element: Element | null): number[] => {
    if (element === null) return [255, 255, 255];
    const colour = channels(getComputedStyle(element).backgroundColor);
    return colour.length === 3 || colour[3] === 1 ? colour : behind(element.parentElement);
  };
  const found: string[] = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) =>
      node.nodeType === Node.TEXT_NODE && node.textContent!.trim() !== ""
    );
    if (!own || !element.checkVisibility() || element.matches("script, noscript, option, :disabled")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [
      luminance(channels(element instanceof SVGElement ? style.fill : style.color)),
      luminance(behind(element)),
    ];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) {
      found.push(`${element.tagName} "${element.textContent!.trim()}": contrast ${contrast.toFixed(2)}`);
    }
  }
  for (const control of document.querySelectorAll("button, input, select, summary, canvas, [role=img], [tabindex]")) {
    const labels = (control as HTMLInputElement).labels;
    const name = control.getAttribute("aria-label") ?? labels?.[0]?.textContent ?? control.textContent;
    if (name!.trim() === "") found.push(`${control.tagName} ${control.id} has no name`);
    const { width, height } = control.getBoundingClientRect();
    if (
      control.matches("button, select, input, summary") && control.checkVisibility() && Math.min(width, height) < 24
    ) {
      found.push(`${control.tagName} ${control.id} is only ${width} × ${height} px`);
    }
  }
  return found;
}

runtimeTest("the page can be read: names, contrast by day and night, and on a phone", needs, async () => {
  await using server = serveFolder(site);
  await using browser = await startChromium();
  const desktop = await open(browser, server, { reducedMotion: "reduce" });
  await ready(desktop.page);
  for (const colorScheme of ["light", "dark"]) {
    await desktop.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    assertEquals(await desktop.page.evaluate(flaws), []);
  }
  // A check that cannot fail is none.
  await desktop.page.evaluate(() => {
    document.querySelector<HTMLElement>("#caption")!.style.color = getComputedStyle(document.body).backgroundColor;
    document.querySelector("#go")!.textContent = "";
  });
  assertEquals((await desktop.page.evaluate(flaws)).map((flaw) => flaw.split(" ")[0]), ["P", "BUTTON"]);
  assertEquals(desktop.faults, []);
  await desktop.page.close();

  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const { page, faults } = await open(browser, server, { ...phone, reducedMotion: "reduce" });
  await ready(page);
  await page.tap("#step");
  await page.waitForFunction(() => document.getElementById("n")!.textContent === "2");
  assertEquals(await page.evaluate("shifts"), 0);
  for (const id of ["#profile-details", "#picture-details"]) await page.tap(`${id} summary`);
  await page.waitForSelector("#picture-rows tr");
  for (const width of [360, 320]) {
    await page.setViewportSize({ width, height: 740 });
    assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), width);
  }
  assertEquals(faults, []);
});

runtimeTest("the page says in one sentence what is missing", needs, async () => {
  await using server = serveFolder(site);
  await using browser = await startChromium();
  const refused = async (pattern: string, answer: Record<string, unknown>): Promise<string> => {
    const page = await browser.newPage();
    await page.route(pattern, (route: { fulfill(answer: unknown): Promise<void> }) => route.fulfill(answer));
    await page.goto(`${server.origin}/`);
    await page.waitForSelector("#failure:not([hidden])", { timeout: 30_000 });
    assert(await page.evaluate(() => (document.getElementById("go") as HTMLButtonElement).disabled));
    const text = await textOf(page, "failure-text");
    await page.context().close();
    return text;
  };
  const missing = { status: 404, body: "" };
  const loading = (what: string, path: string) =>
    `Cannot load ${what}: the server must have ${path}, got status 404: serve the whole folder`;
  assertEquals(await refused("**/models.json", missing), loading("the list of models", "models/models.json"));
  assertEquals(await refused("**/*.onnx", missing), loading("the model", await firstModel()));
  assertEquals(await refused("**/worker.js", missing), "Cannot sample: the worker stopped, its file is missing");
  const damaged = await refused("**/*.onnx", { status: 200, body: "<!DOCTYPE html>" });
  assert(damaged.startsWith("Cannot "), damaged);
  // A module that no engine knows stands for kernels that an old one does not know.
  const unknown = { status: 200, contentType: "application/wasm", body: "\0asm\x09\0\0\0" };
  assertEquals(
    await refused("**/*.wasm", unknown),
    "Cannot run the model: the browser must know WebAssembly with SIMD, got one without: browsers since 2023 have it; " +
      "update yours, or allow WebAssembly where it is switched off",
  );
});
