/**
 * How far a run is: a bar on a terminal, a plain line now and then elsewhere.
 *
 * @module
 */

/** Shows how far the stages of a run are. */
export interface Progress extends Disposable {
  /**
   * Begins a stage and ends the one before.
   *
   * @param stage what is being done
   * @param total how many units of work it takes
   * @param unit plural name of the unit; default "steps"
   * @param done how many are done already, for a resumed stage; default 0
   */
  start(stage: string, total: number, unit?: string, done?: number): void;
  /**
   * Tells how far the stage is; cheap enough to be called every step.
   *
   * @param done units done so far, counted from the start of the stage
   * @param loss present loss, if there is one
   */
  update(done: number, loss?: number): void;
  /**
   * Prints a line of its own.
   *
   * @param text one line
   */
  note(text: string): void;
  /** Ends the present stage, if there is one. */
  finish(): void;
}

/** Where progress goes; the defaults are right for programs. */
export interface ProgressOptions {
  /** Whether a bar can be drawn; default: whether standard error is a terminal. */
  readonly isTerminal?: boolean;
  /** Where text goes; default standard error. */
  readonly write?: (text: string) => void;
  /** Present time in milliseconds; default `performance.now`. */
  readonly now?: () => number;
  /** Time between plain lines, in milliseconds; default 10 000. */
  readonly intervalMs?: number;
}

interface Stage {
  readonly name: string;
  readonly unit: string;
  readonly total: number;
  readonly firstDone: number;
  readonly startMs: number;
  done: number;
  loss: number | undefined;
}

/** What shows a stage: a bar or lines. */
interface Display {
  begin(text: string, share: number): void;
  show(text: string, share: number): void;
  note(text: string): void;
  end(text: string, share: number): void;
}

/**
 * Opens a progress display: a bar where there is a terminal, otherwise a plain line at the start and end of a stage and
 * about every ten seconds between.
 *
 * Loads npm:cli-progress on first use, and only for a terminal.
 *
 * @param options where it goes
 * @returns the display; finish or dispose it, or its timer keeps the program alive
 */
export async function openProgress(options: ProgressOptions = {}): Promise<Progress> {
  const { isTerminal = Deno.stderr.isTerminal(), now = () => performance.now(), intervalMs = 10_000 } = options;
  const write = options.write ?? ((text: string) => void Deno.stderr.writeSync(new TextEncoder().encode(text)));
  const display = isTerminal ? await openBar(write) : openLines(write, now, intervalMs);
  let stage: Stage | undefined;
  const progress: Progress = {
    start(name, total, unit = "steps", done = 0) {
      progress.finish();
      stage = { name, unit, total, firstDone: done, startMs: now(), done, loss: undefined };
      display.begin(describeStage(stage, now()), shareOf(stage));
    },
    update(done, loss) {
      if (stage === undefined) throw new Error("Cannot update progress: a stage must have been started, got none");
      stage.done = done;
      stage.loss = loss;
      display.show(describeStage(stage, now()), shareOf(stage));
    },
    note: (text) => display.note(text),
    finish() {
      if (stage !== undefined) display.end(describeStage(stage, now()), shareOf(stage));
      stage = undefined;
    },
    [Symbol.dispose]: () => progress.finish(),
  };
  return progress;
}

function shareOf({ done, total }: Stage): number {
  return total > 0 ? Math.min(1, done / total) : 1;
}

function describeStage(stage: Stage, nowMs: number): string {
  const { name, unit, total, done, firstDone, startMs, loss } = stage;
  const seconds = (nowMs - startMs) / 1000;
  const parts = [`${name} ${Math.floor(100 * shareOf(stage))} %`, `${done}/${total} ${unit}`];
  if (loss !== undefined) parts.push(`loss ${loss.toPrecision(4)}`);
  const rate = (done - firstDone) / seconds;
  if (rate > 0 && Number.isFinite(rate)) {
    parts.push(`${rate < 100 ? rate.toPrecision(3) : Math.round(rate)}/s`);
    parts.push(done < total ? `${formatTime((total - done) / rate)} left` : `took ${formatTime(seconds)}`);
  }
  return parts.join(" | ");
}

function formatTime(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function openLines(write: (text: string) => void, now: () => number, intervalMs: number): Display {
  let [shownMs, shownText] = [0, ""];
  const line = (text: string) => {
    if (text !== shownText) write(text + "\n");
    [shownMs, shownText] = [now(), text];
  };
  return {
    begin: line,
    show: (text) => now() - shownMs >= intervalMs ? line(text) : undefined,
    note: (text) => write(text + "\n"),
    end: line,
  };
}

const BAR_WIDTH = 10;

interface Payload {
  readonly text: string;
}

/** What we use of npm:cli-progress, which ships no types. */
interface SingleBar {
  start(total: number, value: number, payload: Payload): void;
  update(value: number, payload: Payload): void;
  stop(): void;
  render(): void;
}

async function openBar(write: (text: string) => void): Promise<Display> {
  const { default: cliProgress } = await import("npm:cli-progress@3.12.0");
  const bar: SingleBar = new cliProgress.SingleBar({
    terminal: terminalOn(write),
    fps: 5,
    forceRedraw: true,
    format: (_options: unknown, { progress, maxWidth }: { progress: number; maxWidth: number }, payload: Payload) => {
      const full = Math.round(BAR_WIDTH * progress);
      const drawn = "█".repeat(full) + "░".repeat(BAR_WIDTH - full) + " ";
      return ((maxWidth < 60 ? "" : drawn) + payload.text).slice(0, maxWidth - 1);
    },
  });
  let isDrawn = false;
  return {
    begin(text, share) {
      bar.start(1, share, { text });
      isDrawn = true;
    },
    show: (text, share) => bar.update(share, { text }),
    note(text) {
      write(`\r\x1b[K${text}\n`);
      if (isDrawn) bar.render();
    },
    end(text, share) {
      bar.update(share, { text });
      bar.stop();
      isDrawn = false;
    },
  };
}

/**
 * The terminal as cli-progress wants it. Its own one saves the cursor at the start of a bar and goes back there at the end,
 * which overwrites every note printed between.
 */
function terminalOn(write: (text: string) => void) {
  return {
    isTTY: () => true,
    getWidth: terminalWidth,
    write,
    newline: () => write("\n"),
    cursorTo: () => write("\r"),
    clearRight: () => write("\x1b[K"),
    lineWrapping: (isOn: boolean) => write(isOn ? "\x1b[?7h" : "\x1b[?7l"),
    cursorSave() {},
    cursorRestore() {},
  };
}

function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
