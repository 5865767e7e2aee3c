/**
 * A clean stop on Ctrl-C and SIGTERM, and the command line that starts the same run again.
 *
 * @module
 */

/** Exit codes of programs that a signal has ended: 128 and its number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** A stop that signals ask for. */
export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The exit code that tells which signal it was. */
  exitCode(): number;
  /** Leaves further signals to the system. */
  release(): void;
}

/** Listens for Ctrl-C and SIGTERM: the first asks for a stop, a second one ends the program at once. */
export function interruptSignal(): Interrupt {
  const controller = new AbortController();
  let code: number = EXIT_CODES.SIGINT;
  const names = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const listeners = names.map((name) =>
    [name, () => {
      if (controller.signal.aborted) Deno.exit(EXIT_CODES[name]);
      code = EXIT_CODES[name];
      controller.abort(new DOMException(`stopped by ${name}`, "AbortError"));
    }] as const
  );
  // Without a listener a file beyond the limit of `ulimit -f` kills the program; with one its write fails and says why.
  const others = Deno.build.os === "windows" ? [] : [["SIGXFSZ", () => {}]] as const;
  const all = [...listeners, ...others];
  all.forEach(([name, listener]) => Deno.addSignalListener(name, listener));
  return {
    signal: controller.signal,
    exitCode: () => code,
    release: () => all.forEach(([name, listener]) => Deno.removeSignalListener(name, listener)),
  };
}

/** The arguments that start the same run elsewhere, quoted where a shell would split them. */
export function sameArguments(): string[] {
  const kept = Deno.args.filter((arg) => arg !== "--force" && arg !== "--resume");
  return kept.map((arg) => /^[\w./,=:@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`);
}
