/**
 * Debian's Chromium without a window, driven by playwright-core.
 *
 * @module
 */
import { find, requirePackage } from "./installed.ts";

/** What tests use of playwright's page. Functions that are given to `evaluate` run in the page. */
export interface Page {
  /** Opens a URL. */
  goto(url: string): Promise<unknown>;
  /** Runs a function, or code, in the page and returns what it returns, as JSON. */
  evaluate<T, A>(body: ((argument: A) => T | Promise<T>) | string, argument?: A): Promise<T>;
  /** The rest of https://playwright.dev/docs/api/class-page. */
  // deno-lint-ignore no-explicit-any
  readonly [method: string]: any;
}

/** A running browser. */
export interface Chromium extends AsyncDisposable {
  /** For example "156.0.8078.79". */
  readonly version: string;
  /**
   * Opens an empty page in a profile of its own.
   *
   * @param options of playwright's `browser.newContext`, for example `viewport`
   */
  newPage(options?: Readonly<Record<string, unknown>>): Promise<Page>;
}

/**
 * Starts Chromium. Tests that call this need "packages" and "chromium" (installed.ts).
 *
 * @param args further options of its command line
 * @returns the browser
 */
export async function startChromium(args: readonly string[] = []): Promise<Chromium> {
  const browser = await requirePackage("playwright-core").chromium.launch({
    executablePath: find("chromium"),
    // The sandbox cannot start for root, as whom CI runs.
    args: ["--no-sandbox", ...args],
  });
  return {
    version: browser.version(),
    newPage: async (options = {}) => await (await browser.newContext(options)).newPage(),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
