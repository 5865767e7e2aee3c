import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from "../../src/training/checkpoint.ts";
import { recoverCheckpoint } from "../../src/training/recover_checkpoint.ts";
import { inTemporaryDirectory, namesIn } from "../support/file_faults.ts";
import { record, trials } from "../support/incidents.ts";
import { RandomStream } from "../../src/random/random_stream.ts";

const generation = (step: number): Checkpoint => ({
  kind: "training",
  state: { step },
  tensors: new Map([["w", { shape: [300], data: new Float32Array(300).fill(step) }]]),
});

/** What a recovery finds: the generation, and the warning without its path. */
async function recovered(path: string): Promise<[unknown, string | null] | null> {
  const found = await recoverCheckpoint(path, "training");
  return found && [found.checkpoint.state.step, found.warning?.replaceAll(path, "C") ?? null];
}

Deno.test("recoverCheckpoint() takes the newest generation and says nothing", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/c`;
    assertEquals(await recovered(path), null);
    await saveCheckpoint(path, generation(1));
    await saveCheckpoint(path, generation(2));
    assertEquals(await recovered(path), [2, null]);
    assertEquals(await namesIn(directory), ["c", "c.previous"]);
  });
});

Deno.test("recoverCheckpoint() goes back to the generation before a damaged one, says so, and keeps it safe from the next save", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/c`;
    for (const step of [1, 2]) await saveCheckpoint(path, generation(step));
    await Deno.truncate(path, 700);

    assertEquals(await recovered(path), [
      1,
      "Cannot load checkpoint C: the file must hold 1200 bytes of data, got 444: it is truncated" +
      "; went back to the checkpoint before it",
    ]);
    assertEquals(await recovered(path), [1, null]);
    await saveCheckpoint(path, generation(3));
    assertEquals((await loadCheckpoint(`${path}.previous`)).state, { step: 1 });

    await Deno.remove(path);
    assertMatch(
      (await recovered(path))![1]!,
      /must exist, got "No such file or directory"; went back to the checkpoint/,
    );
  });
});

Deno.test("recoverCheckpoint() has one sentence where no generation is whole, or is of another kind", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/c`;
    const message = async () => (await assertRejects(() => recovered(path), Error)).message.replaceAll(path, "C");
    await saveCheckpoint(path, generation(1));
    await Deno.truncate(path, 700);
    assertEquals(
      await message(),
      "Cannot load checkpoint C: the file must hold 1200 bytes of data, got 444: it is truncated",
    );
    await Deno.copyFile(path, `${path}.previous`);
    assertEquals(
      await message(),
      "Cannot load checkpoint C: the file must hold 1200 bytes of data, got 444: it is truncated; cannot load " +
        "checkpoint C.previous: the file must hold 1200 bytes of data, got 444: it is truncated",
    );
    for (const step of [1, 2]) await saveCheckpoint(path, { ...generation(step), kind: "flow" });
    assertMatch(await message(), /kind must be "training", got "flow"/);
  });
});

Deno.test("recoverCheckpoint() never takes a damaged file for a whole one", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/c`;
    const start = performance.now();
    const random = new RandomStream(5, 1);
    const count = trials(60, 3000);
    let [lost, wrong] = [0, 0];
    for (const step of [1, 2]) await saveCheckpoint(path, generation(step));
    const [newest, previous] = await Promise.all([Deno.readFile(path), Deno.readFile(`${path}.previous`)]);
    for (let i = 0; i < count; i++) {
      const damaged = newest.slice(0, random.integer(2) === 0 ? newest.length : random.integer(newest.length));
      const at = random.integer(damaged.length + 1);
      if (damaged.length === newest.length) damaged[at % damaged.length] ^= 1 << random.integer(8);
      await Deno.writeFile(path, damaged);
      await Deno.writeFile(`${path}.previous`, previous);
      const found = await recoverCheckpoint(path, "training").catch(() => null);
      if (found === null) lost++;
      else if (found.checkpoint.state.step !== 1 || found.warning === null) wrong++;
    }
    const seconds = (performance.now() - start) / 1000;
    record({ incident: "newest checkpoint damaged", trials: count, lost, wrong, seconds });
    assertEquals([lost, wrong], [0, 0]);
  });
});
