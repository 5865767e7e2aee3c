import { assertEquals, assertRejects } from "@std/assert";
import { describeFileError, directoryOf, writeAtomically } from "../../src/training/write_atomically.ts";
import {
  assertFlushesBeforeRename,
  assertSurvivesBeingStopped,
  assertSurvivesFailure,
  type FileWriter,
  inTemporaryDirectory,
  namesIn,
  noSpace,
  withFaults,
} from "../support/file_faults.ts";

const keeping: FileWriter = (path, content) => writeAtomically(path, content, { keepPrevious: true });

Deno.test("writeAtomically() writes text, bytes and pieces", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    const read = () => Deno.readTextFile(path);

    await writeAtomically(path, "grüße");
    assertEquals(await read(), "grüße");
    await writeAtomically(path, Uint8Array.of(65, 66));
    assertEquals(await read(), "AB");
    await writeAtomically(path, ["a", "", Uint8Array.of(66), "c"]);
    assertEquals(await read(), "aBc");
    assertEquals(await namesIn(directory), ["file"]);
  });
});

Deno.test("writeAtomically() survives being stopped anywhere", async () => {
  await assertSurvivesBeingStopped(writeAtomically);
  await assertSurvivesBeingStopped(keeping);
});

Deno.test("writeAtomically() survives a full disk anywhere and leaves nothing behind", async () => {
  await assertSurvivesFailure(writeAtomically);
  await assertSurvivesFailure(keeping);
});

Deno.test("writeAtomically() flushes before it renames", async () => {
  await assertFlushesBeforeRename(writeAtomically);
});

Deno.test("writeAtomically() keeps the previous file, also after a stop between its two renames", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    for (const content of ["one", "two", "three"]) await keeping(path, content);
    assertEquals(await Deno.readTextFile(`${path}.previous`), "two");

    let renames = 0;
    const stopped = Promise.withResolvers<void>();
    await withFaults(
      (name) =>
        name === "rename" && ++renames === 2 ? () => (stopped.resolve(), new Promise<never>(() => {})) : undefined,
      () => Promise.race([stopped.promise, keeping(path, "never")]),
    );
    assertEquals([await Deno.readTextFile(path), await Deno.readTextFile(`${path}.previous`)], ["three", "three"]);
    const leftover = (await namesIn(directory)).filter((name) => name.endsWith(".tmp"));
    assertEquals(leftover.length, 1);

    await keeping(path, "four");
    assertEquals([await Deno.readTextFile(path), await Deno.readTextFile(`${path}.previous`)], ["four", "three"]);
    assertEquals(await namesIn(directory), [...leftover, "file", "file.previous"]);
  });
});

Deno.test("writeAtomically() keeps the previous file by a copy where there are no hard links", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    await keeping(path, "one");
    const noLinks = () => Promise.reject(Object.assign(new Error("Operation not permitted"), { code: "EPERM" }));

    await withFaults((name) => name === "link" ? noLinks : undefined, () => keeping(path, "two"));

    assertEquals([await Deno.readTextFile(path), await Deno.readTextFile(`${path}.previous`)], ["two", "one"]);
    assertEquals(await namesIn(directory), ["file", "file.previous"]);
  });
});

Deno.test("writeAtomically() says in one sentence why it cannot write", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    const message = async (path: string) => (await assertRejects(() => writeAtomically(path, "x"), Error)).message;

    const missing = await message(`${directory}/no/file`);
    const below = await message(`${directory}/file/below`);
    const over = await message(directory);

    assertEquals(
      missing,
      `Cannot write ${directory}/no/file: ${directory}/no must exist, got "No such file or directory"`,
    );
    assertEquals(
      below,
      `Cannot write ${directory}/file/below: ${directory}/file must be a directory, got "Not a directory"`,
    );
    assertEquals(over, `Cannot write ${directory}: ${directory} must be a file, got "Is a directory"`);
  });
});

Deno.test("describeFileError() names the rule for each kind of refusal", () => {
  const refusal = (code: string) =>
    describeFileError(Object.assign(new Error("Refused (os error 1): x"), { code }), "a/b");

  assertEquals(
    describeFileError(noSpace(), "a/b"),
    'the disk must have room, got "No space left on device": free some space or choose another directory',
  );
  assertEquals(refusal("EDQUOT").startsWith("the disk must have room"), true);
  assertEquals(
    describeFileError(new Error("File too large (os error 27): write"), "a/b"),
    'the limit on file sizes must leave room, got "File too large": raise it (ulimit -f)',
  );
  for (const code of ["EACCES", "EPERM", "EROFS"]) {
    assertEquals(
      refusal(code),
      'a must be open to us, got "Refused": change its permissions or choose another directory',
    );
  }
  assertEquals(
    describeFileError(new Deno.errors.NotCapable('Requires write access to "a/b", run again with …'), "a/b"),
    "a/b must be open to the program, got no permission (write): run it with --allow-write",
  );
  assertEquals(refusal("EIO"), 'the file system must take part, got "Refused"');
  assertEquals(["a/b/c", "c", "/c", "./c"].map(directoryOf), ["a/b", ".", "/", "."]);
});

// The laws above must be able to fail.

const inPlace: FileWriter = (path, content) => Deno.writeFile(path, new TextEncoder().encode(content));
const removesFirst: FileWriter = async (path, content) => {
  await Deno.writeFile(`${path}.tmp`, new TextEncoder().encode(content));
  await Deno.remove(path).catch(() => {});
  await Deno.rename(`${path}.tmp`, path);
};
const leavesRubbish: FileWriter = async (path, content) => {
  using file = await Deno.open(`${path}.tmp`, { write: true, create: true });
  await file.write(new TextEncoder().encode(content));
  await Deno.rename(`${path}.tmp`, path);
  await file.sync();
};
const swallowsErrors: FileWriter = (path, content) => writeAtomically(path, content).catch(() => {});

Deno.test("the laws of atomic writing reject writers that break them", async () => {
  await assertRejects(() => assertSurvivesBeingStopped(inPlace), Error, "stopped at 1");
  await assertRejects(() => assertSurvivesBeingStopped(removesFirst), Error, "No such file");
  await assertRejects(() => assertSurvivesFailure(inPlace), Error, "failed at 1");
  await assertRejects(() => assertSurvivesFailure(leavesRubbish), Error, "failed at");
  await assertRejects(() => assertSurvivesFailure(swallowsErrors), Error, "failed at");
  await assertRejects(() => assertFlushesBeforeRename(leavesRubbish), Error, "operations came as");
});
