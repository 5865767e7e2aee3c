/** Types of npm:deno-std/cli/parse_args.js, as far as scripts use it. */
export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  alias?: Record<string, string>;
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}
export function parseArgs(args: readonly string[], options?: ParseOptions): { _: string[]; [key: string]: unknown };
