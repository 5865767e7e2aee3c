/**
 * Programs in other processes.
 *
 * @module
 */
import { assert } from "@std/assert";

/**
 * Runs a program to its end, which must be a good one and come within a minute.
 *
 * @param program its path
 * @param args its arguments
 * @param options `cwd`: where it runs; `env`: further variables
 * @returns its standard output
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", NO_PROXY: "localhost", WRANGLER_SEND_METRICS: "false", CI: "true", ...options.env },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = new TextDecoder();
  // Node repeats the line of a bundle that threw: all of it.
  const said = () => `${text.decode(stderr)}${text.decode(stdout)}`.split("\n").map((line) => line.slice(0, 200));
  assert(success, `${program} ${args.join(" ").slice(0, 300)}: ${success ? "" : said().slice(0, 40).join("\n")}`);
  return text.decode(stdout);
}
