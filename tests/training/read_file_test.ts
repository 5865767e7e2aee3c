import { assertEquals, assertRejects } from "@std/assert";
import { readTextFile, readWholeFile } from "../../src/training/read_file.ts";
import { inTemporaryDirectory } from "../support/file_faults.ts";

Deno.test("readWholeFile() and readTextFile() read files and nothing else, up to a size", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/a`;
    await Deno.writeFile(path, Uint8Array.of(0x61, 0xff));
    const messageOf = async (reading: Promise<unknown>) =>
      (await assertRejects(() => reading, Error)).message.replaceAll(directory, "D");

    assertEquals(await readWholeFile(path, "look", 2), Uint8Array.of(0x61, 0xff));
    assertEquals(
      await Promise.all([
        readWholeFile(path, "look", 1),
        readWholeFile(directory, "look"),
        readWholeFile("/dev/null", "look"),
        readWholeFile(`${path}b`, "look"),
        readWholeFile("a\0b", "look"),
        readTextFile(path, "look"),
      ].map(messageOf)),
      [
        "Cannot look: D/a must have at most 1 bytes, got 2",
        "Cannot look: D must be a file, got a directory",
        "Cannot look: /dev/null must be a file, got a device or pipe",
        'Cannot look: D/ab must exist, got "No such file or directory"',
        "Cannot look: the path must not hold NUL characters, got one",
        "Cannot look: D/a must be UTF-8, got other bytes",
      ],
    );
  });
});
