import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { openProgress } from "../../src/experiment/progress.ts";

/** Plays `script` against a display whose clock stands still unless moved. */
async function play(
  script: (progress: Awaited<ReturnType<typeof openProgress>>, wait: (seconds: number) => void) => void,
  isTerminal = false,
): Promise<string> {
  let [text, clock] = ["", 0];
  const options = { isTerminal, write: (piece: string) => void (text += piece), now: () => clock };
  using progress = await openProgress(options);
  script(progress, (seconds) => clock += 1000 * seconds);
  progress.finish();
  return text;
}

Deno.test("openProgress() prints plain lines at both ends of a stage and every ten seconds", async () => {
  const text = await play((progress, wait) => {
    progress.start("likelihood", 100);
    for (let step = 1; step <= 100; step++) {
      wait(0.25);
      progress.update(step, 50 / step);
    }
    progress.start("evaluation", 200_000, "samples");
    wait(0.1);
    progress.update(200_000);
  });

  assertEquals(text.split("\n"), [
    "likelihood 0 % | 0/100 steps",
    "likelihood 40 % | 40/100 steps | loss 1.250 | 4.00/s | 0:15 left",
    "likelihood 80 % | 80/100 steps | loss 0.6250 | 4.00/s | 0:05 left",
    "likelihood 100 % | 100/100 steps | loss 0.5000 | 4.00/s | took 0:25",
    "evaluation 0 % | 0/200000 samples",
    "evaluation 100 % | 200000/200000 samples | 2000000/s | took 0:00",
    "",
  ]);
});

Deno.test("openProgress() reckons the rate of a resumed stage from where it resumed", async () => {
  const text = await play((progress, wait) => {
    progress.start("mixture", 10_000, "steps", 9_000);
    wait(10);
    progress.update(9_010, NaN);
    progress.note("stopped");
  });

  assertEquals(text.split("\n"), [
    "mixture 90 % | 9000/10000 steps",
    "mixture 90 % | 9010/10000 steps | loss NaN | 1.00/s | 16:30 left",
    "stopped",
    "",
  ]);
});

Deno.test("openProgress() draws a bar on a terminal, with notes above it", async () => {
  const text = await play((progress, wait) => {
    progress.start("training", 4);
    wait(1);
    progress.update(2, 1.5);
    progress.note("half way");
    progress.update(4, 1);
  }, true);

  const escape = "\x1b[";
  assertStringIncludes(text, "\r░░░░░░░░░░ training 0 % | 0/4 steps");
  assertStringIncludes(
    text,
    `\r${escape}Khalf way\n\r█████░░░░░ training 50 % | 2/4 steps | loss 1.500 | 2.00/s | 0:01 left${escape}K`,
  );
  assertStringIncludes(
    text,
    `\r██████████ training 100 % | 4/4 steps | loss 1.000 | 4.00/s | took 0:01${escape}K${escape}?7h\n`,
  );
});

Deno.test({
  name: "openProgress() leaves no timer behind when it is disposed",
  // Were the bar's timer alive at the end, the sanitizer would fail the test.
  sanitizeOps: true,
  async fn() {
    const progress = await openProgress({ isTerminal: true, write: () => {} });
    progress.start("training", 4);
    progress[Symbol.dispose]();
    assertThrows(() => progress.update(1), Error, "Cannot update progress: a stage must have been started, got none");
  },
});
