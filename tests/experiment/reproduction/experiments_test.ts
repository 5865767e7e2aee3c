import { assert, assertEquals, assertMatch } from "@std/assert";
import { experiments } from "../../../src/experiment/reproduction/experiments.ts";
import { runDeno } from "../../support/deno_process.ts";
import { inTemporaryDirectory, namesIn } from "../../support/file_faults.ts";
import { long } from "../../support/incidents.ts";

const budgets = ["smoke", "default", "paper"] as const;

Deno.test("experiments have names, parts and figures of their own", () => {
  const files = new Set<string>();
  const take = (file: string) => {
    assert(!files.has(file), `${file} is written twice`);
    files.add(file);
  };
  for (const { name, title, about, parts, figures } of experiments) {
    assertMatch(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert(title.length > 5 && about.length > 50, name);
    take(name);
    figures.forEach((figure) => take(`${name}_${figure}.svg`));
    for (const budget of budgets) {
      const named = parts(budget);
      assertEquals(new Set(named).size, named.length, `${name}, ${budget}`);
      // A part of no name would have the file of the whole result.
      assert(named.every((part) => part.trim() !== ""));
    }
    parts("default").filter((part) => !part.startsWith("shared ")).forEach((part) => take(`${name} ${part}`));
  }
});

Deno.test("the experiments that are long are those that need independently trained networks", () => {
  const names = experiments.filter(({ long }) => long).map(({ name }) => name);
  assertEquals(names, ["dimer-networks", "hyper-parameters"]);
});

Deno.test({
  name: "reproduce.ts runs every experiment to its rows and pictures",
  ignore: !long,
  fn: async () => {
    await inTemporaryDirectory(async (directory) => {
      const out = `${directory}/run`;
      await runDeno(["run", "-A", "--no-check", "scripts/reproduce.ts", "--budget", "smoke", "--out", out]);
      const report = JSON.parse(await Deno.readTextFile(`${out}/reproduction.json`));
      assertEquals(report.experiments.map(({ name }: { name: string }) => name), experiments.map(({ name }) => name));
      assertEquals(report.notRun, []);
      for (const { name, rows, failure } of report.experiments) {
        assertEquals(failure, null, name);
        assert(rows.length > 0, name);
      }
      const drawn = await namesIn(`${out}/figures`);
      const promised = experiments.flatMap(({ name, figures }) => figures.map((figure) => `${name}_${figure}.svg`));
      assertEquals(drawn.sort(), promised.sort());
    });
  },
});
