/**
 * What long-running scripts share: a clean stop on Ctrl-C, and the command line that starts the same run again.
 *
 * @module
 */

/** An abort signal for Ctrl-C and SIGTERM; a second one ends the program at once. */
export function interruptSignal(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort(new DOMException("stopped by the user", "AbortError"));
  };
  const signals = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  signals.forEach((name) => Deno.addSignalListener(name, interrupt));
  const release = () => signals.forEach((name) => Deno.removeSignalListener(name, interrupt));
  return { signal: controller.signal, release };
}

/** The arguments that start the same run elsewhere, quoted where a shell would split them. */
export function sameArguments(): string[] {
  const kept = Deno.args.filter((arg) => arg !== "--force" && arg !== "--resume");
  return kept.map((arg) => /^[\w./,=:@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`);
}
