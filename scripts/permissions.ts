/**
 * What a script must be allowed to do, asked before it begins: nobody shall lose an hour's work to a missing flag.
 *
 * @module
 */

/** Something a script does that Deno asks permission for. */
export type Need =
  | { readonly name: "read" | "write"; readonly path?: string | URL; readonly why: string }
  | { readonly name: "env" | "run"; readonly why: string }
  | { readonly name: "sys"; readonly kind: "osRelease"; readonly why: string };

/** The folder of this package, whose modules workers load. */
const root = new URL("..", import.meta.url);

/**
 * What runs need that sample, train, export, try the model in onnxruntime-web and draw.
 *
 * @param out directory of the run
 */
export function needsOfRuns(out: string): readonly Need[] {
  return [
    { name: "read", path: out, why: "the files of the run" },
    { name: "read", path: root, why: "modules of worker threads" },
    { name: "write", path: out, why: "the files of the run" },
    { name: "env", why: "d3-node, which draws" },
  ];
}

/**
 * Refuses to begin without a permission.
 *
 * @param script name of the script, for the message
 * @param needs what it does
 * @throws {Error} with one sentence that names the flag
 */
export function requirePermissions(script: string, needs: readonly Need[]): void {
  for (const { why, ...descriptor } of needs) {
    if (Deno.permissions.querySync(descriptor).state === "granted") continue;
    const target = targetOf(descriptor);
    const what = target === undefined ? "" : ` to ${target}`;
    throw new Error(
      `Cannot run ${script}: ${descriptor.name} access${what} must be allowed (${why}), got no permission: add ${
        flagFor(descriptor.name)
      }`,
    );
  }
}

/**
 * Ends a program with one sentence unless it may do what it needs: for scripts without options.
 *
 * @param script name of the script, for the message
 * @param needs permissions without a path, and what for
 */
export function requireOrExit(script: string, needs: { readonly [K in Exclude<Need["name"], "sys">]?: string }): void {
  try {
    const list = Object.entries(needs).map(([name, why]) => ({ name, why }) as Need);
    requirePermissions(script, list);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}

/**
 * Turns what Deno throws where a permission is missing into one sentence.
 *
 * @param script name of the script, for the message
 * @param error what was thrown; its causes are looked at too
 * @returns the sentence, or undefined if the error is about something else
 */
export function describeMissingPermission(script: string, error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    if (!(cause instanceof Deno.errors.NotCapable)) continue;
    const [, kind = "all", target = ""] = /^Requires (\w+) access(?: to ([^\n]*?))?(?:,|$)/.exec(cause.message) ?? [];
    return `Cannot run ${script}: ${kind} access${target && ` to ${target}`} must be allowed, got no permission: add ${
      flagFor(kind)
    }`;
  }
  return undefined;
}

function flagFor(kind: string): string {
  return `--allow-${kind}`;
}

/** What a permission is for, where it is not for everything. */
function targetOf(descriptor: Omit<Need, "why"> & { readonly path?: string | URL; readonly kind?: string }) {
  const { path, kind } = descriptor;
  return path instanceof URL ? decodeURIComponent(path.pathname) : path ?? kind;
}
