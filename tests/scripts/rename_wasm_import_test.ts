import { assertEquals, assertThrows } from "@std/assert";
import { renameImportModule } from "../../scripts/rename_wasm_import.ts";

const text = (name: string) => [name.length, ...new TextEncoder().encode(name)];
const section = (id: number, content: number[]) => [id, content.length, ...content];
const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A module that imports one thing of every kind, and says so in a custom section as well. */
const module = new Uint8Array([
  ...header,
  ...section(1, [1, 0x60, 0, 0]),
  ...section(2, [
    5,
    ...[...text("env"), ...text("f"), 0, 0],
    ...[...text("env"), ...text("t"), 1, 0x70, 1, 1, 9],
    ...[...text("other"), ...text("env"), 3, 0x7f, 0],
    ...[...text("env"), ...text("m"), 2, 3, 1, 0x80, 0x80, 1],
    ...[...text("env"), ...text("g"), 3, 0x7f, 1],
  ]),
  ...section(0, [...text("note"), ...text("env")]),
]);
Deno.test("renameImportModule renames the module of every kind of import and nothing else", () => {
  const renamed = renameImportModule(module, "env", "./shared_memory.ts");
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(renamed));
  assertEquals(imports, [
    { module: "./shared_memory.ts", name: "f", kind: "function" },
    { module: "./shared_memory.ts", name: "t", kind: "table" },
    { module: "other", name: "env", kind: "global" },
    { module: "./shared_memory.ts", name: "m", kind: "memory" },
    { module: "./shared_memory.ts", name: "g", kind: "global" },
  ]);
  assertEquals(renameImportModule(renamed, "./shared_memory.ts", "env"), module);
});

Deno.test("renameImportModule writes lengths of more than one byte", () => {
  const long = "./" + "folder/".repeat(30) + "memory.ts";
  const renamed = renameImportModule(module, "env", long);
  assertEquals(WebAssembly.Module.imports(new WebAssembly.Module(renamed))[0].module, long);
  assertEquals(renameImportModule(renamed, long, "env"), module);
});

Deno.test("renameImportModule refuses what is not WebAssembly", () => {
  assertThrows(
    () => renameImportModule(new TextEncoder().encode("<!doctype html>"), "env", "x"),
    Error,
    'Cannot read WebAssembly: the file must start with "\\0asm", got ',
  );
  assertThrows(() => renameImportModule(module.subarray(0, 20), "env", "x"), Error, "must not end inside a section");
});
