import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { lockDirectory } from "../../src/experiment/run_lock.ts";
import { inTemporaryDirectory, namesIn } from "../support/file_faults.ts";

const lockModule = new URL("../../src/experiment/run_lock.ts", import.meta.url).href;

/** A program that takes the lock of `Deno.args[0]`, says so and waits to be killed. */
const ours = `import { lockDirectory } from ${JSON.stringify(lockModule)};
  await lockDirectory(Deno.args[0], "work"); console.log("locked"); setInterval(() => {}, 1000);`;

type Lock = (directory: string) => Promise<unknown>;

/** While another process holds the lock we are refused; once it was killed we are not. */
async function assertLockOfTheLiving(program: string, lock: Lock): Promise<string> {
  return await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/program.ts`, program);
    const args = ["run", "-A", "--no-check", `${directory}/program.ts`, directory];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    let message = "";
    try {
      message = (await assertRejects(() => lock(directory), Error)).message.replaceAll(`${child.pid}`, "PID");
    } finally {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    }
    await lock(directory);
    return message.replaceAll(directory, "DIR");
  });
}

const lockAndRelease: Lock = async (directory) => await (await lockDirectory(directory, "start")).release();

Deno.test("lockDirectory() keeps others out while the holder lives, and not after it was killed", async () => {
  assertEquals(
    await assertLockOfTheLiving(ours, lockAndRelease),
    "Cannot start: the directory must not be in use, got process PID at work in it" +
      ": wait for it or choose another directory",
  );
});

Deno.test("assertLockOfTheLiving() rejects a lock that is only a file, and no lock at all", async () => {
  const plainFile = `await Deno.open(Deno.args[0] + "/run.lock", { createNew: true, write: true });
    console.log("locked"); setInterval(() => {}, 1000);`;
  const createNew: Lock = async (directory) => {
    (await Deno.open(`${directory}/run.lock`, { createNew: true, write: true })).close();
  };

  await assertRejects(() => assertLockOfTheLiving(plainFile, createNew), Deno.errors.AlreadyExists);
  await assertRejects(() => assertLockOfTheLiving(plainFile, lockAndRelease), Error, "Expected function to reject");
});

Deno.test("lockDirectory() locks within one process too, and release() frees and tidies", async () => {
  await inTemporaryDirectory(async (directory) => {
    const lock = await lockDirectory(directory, "start");
    assertMatch(await Deno.readTextFile(`${directory}/run.lock`), new RegExp(`^${Deno.pid} [\\w.-]* \\w{8}\n$`));
    await assertRejects(() => lockDirectory(directory, "start"), Error, `got process ${Deno.pid} at work in it`);

    await lock.release();
    await lock.release();

    assertEquals(await namesIn(directory), []);
    await lockAndRelease(directory);
  });
});

Deno.test("lockDirectory() lets exactly one of many at a time through", async () => {
  await inTemporaryDirectory(async (directory) => {
    let [inside, most, entered] = [0, 0, 0];
    async function visit() {
      for (let attempt = 0; attempt < 20; attempt++) {
        try {
          const lock = await lockDirectory(directory, "start");
          most = Math.max(most, ++inside);
          entered++;
          await new Promise((resolve) => setTimeout(resolve));
          inside--;
          await lock.release();
        } catch {
          await new Promise((resolve) => setTimeout(resolve));
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, visit));
    assertEquals([most, entered > 8], [1, true]);
  });
});

Deno.test("lockDirectory() leaves a file alone that is not its own", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/run.lock`, "my diary\n");
    const error = await assertRejects(() => lockDirectory(directory, "start"), Error);
    assertEquals(
      error.message,
      `Cannot start: ${directory}/run.lock must be the lock of a run, got another file: choose another directory`,
    );
    assertEquals(await Deno.readTextFile(`${directory}/run.lock`), "my diary\n");
  });
});

/** A lock file that another machine keeps signing, until it is told to stop. */
function signElsewhere(directory: string, everyMs: number): () => void {
  let beats = 0;
  const write = () => {
    // In place and always as long: a reader in between never finds the file empty, as it would while it is truncated.
    using file = Deno.openSync(`${directory}/run.lock`, { write: true, create: true });
    file.writeSync(new TextEncoder().encode(`77 another-host ${String(++beats).padStart(6, "0")}\n`));
  };
  write();
  const timer = setInterval(write, everyMs);
  return () => clearInterval(timer);
}

const times = { beatMs: 20, watchMs: 400 };
const inUse = "Cannot start: the directory must not be in use, got process 77 of another-host at work in it" +
  ": wait for it or choose another directory";

Deno.test("lockDirectory() watches a lock of another machine: refused while it is signed, taken when it is silent", async () => {
  await inTemporaryDirectory(async (directory) => {
    const stop = signElsewhere(directory, 20);
    try {
      const error = await assertRejects(() => lockDirectory(directory, "start", times), Error);
      assertEquals(error.message, inUse);
    } finally {
      stop();
    }

    const start = performance.now();
    const lock = await lockDirectory(directory, "start", times);
    assert(performance.now() - start >= times.watchMs, "taken before it was watched");
    await lock.release();
  });
});

Deno.test("lockDirectory() changes its word while it is held, so that other machines see it alive", async () => {
  await inTemporaryDirectory(async (directory) => {
    const lock = await lockDirectory(directory, "start", times);
    const seen = new Set<string>();
    const end = performance.now() + 5000;
    while (seen.size < 3 && performance.now() < end) {
      seen.add(await Deno.readTextFile(`${directory}/run.lock`));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await lock.release();
    assertEquals(seen.size, 3);
    assert([...seen].every((text) => text.startsWith(`${Deno.pid} `) && text.length === [...seen][0].length));
  });
});

/** Runs `body` as on a file system that knows no locks. */
async function withoutLocks(body: () => Promise<void>): Promise<void> {
  const { tryLock } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.tryLock = () => Promise.reject(new Deno.errors.NotSupported("no locks here"));
  try {
    await body();
  } finally {
    Deno.FsFile.prototype.tryLock = tryLock;
  }
}

Deno.test("lockDirectory() keeps others out and outlives crashes also where the system has no locks", async () => {
  await inTemporaryDirectory((directory) =>
    withoutLocks(async () => {
      const lock = await lockDirectory(directory, "start", times);
      await assertRejects(() => lockDirectory(directory, "start", times), Error, `got process ${Deno.pid} at work`);
      await lock.release();

      // What a crash leaves: a file of this machine with a number that another process may have now.
      await Deno.writeTextFile(`${directory}/run.lock`, `${Deno.pid} ${Deno.hostname()} 0badcafe\n`);
      await (await lockDirectory(directory, "start", times)).release();

      const both = [1, 2].map(() => lockDirectory(directory, "start", times));
      const outcomes = await Promise.allSettled(both);
      assertEquals(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      for (const outcome of outcomes) if (outcome.status === "fulfilled") await outcome.value.release();
    })
  );
});
