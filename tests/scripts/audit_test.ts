import { assertEquals, assertStringIncludes } from "@std/assert";
import { auditFaults, type Dependency, dependencyTable, type Lock } from "../../scripts/audit.ts";

const lock: Lock = { specifiers: { "npm:a@1.0.0": "1.0.0" }, npm: { "a@1.0.0": { integrity: "x" } } };
const a: Dependency = { name: "a@1.0.0", licence: "MIT", bytes: 2048, direct: true };
const known = { "a@1.0.0": "MIT" };

Deno.test("auditFaults() accepts what is known, pinned and free", () => {
  assertEquals(auditFaults(lock, known, [a]), []);
  assertEquals(auditFaults(lock, known, [{ ...a, licence: null, bytes: null }]), [], "not downloaded");
});

Deno.test("auditFaults() names whatever nobody has looked at", () => {
  const ranged = { ...lock, specifiers: { "npm:a@1": "1.0.0" } };
  const remote = { ...lock, remote: { "https://x.org/a.ts": "x" } };
  const unsummed = { ...lock, npm: { "a@1.0.0": {} } };

  assertEquals(
    [
      auditFaults(lock, {}, [a]),
      auditFaults(lock, known, [{ ...a, licence: "ISC" }]),
      auditFaults(lock, { "a@1.0.0": "GPL-3.0" }, [{ ...a, licence: "GPL-3.0" }]),
      auditFaults(lock, { ...known, "b@1.0.0": "MIT" }, [a]),
      auditFaults(ranged, known, [a]),
      auditFaults(remote, known, [a]),
      auditFaults(unsummed, known, [a]),
      auditFaults(lock, JSON.parse('{"__proto__":"MIT"}'), [a]).slice(1),
    ].flat(),
    [
      "a@1.0.0 must be known, got a new package: look at it, then run deno task audit --accept",
      "licence of a@1.0.0 must be MIT as known, got ISC: look at it again",
      "licence of a@1.0.0 must be a permissive one, got GPL-3.0",
      "b@1.0.0 must be in deno.lock, got none: run deno task audit --accept",
      "npm:a@1 must name an exact version, got a range: pin it where it is imported",
      "https://x.org/a.ts must be an npm package, got a module by URL",
      "a@1.0.0 must have a checksum in deno.lock, got none",
      "a@1.0.0 must be known, got a new package: look at it, then run deno task audit --accept",
    ],
  );
});

Deno.test("dependencyTable() shows sizes and marks what we import", () => {
  assertStringIncludes(dependencyTable([a]), "| **a@1.0.0** | MIT | 2 |\n| 1 packages | | 2 |");
});

Deno.test("the lock file holds known packages only", async () => {
  const read = async (path: string) => JSON.parse(await Deno.readTextFile(new URL(`../../${path}`, import.meta.url)));
  const lock: Lock = await read("deno.lock");
  const listed = Object.keys(lock.npm).map((name) => ({ name, licence: null, bytes: null, direct: false }));

  assertEquals(auditFaults(lock, await read("scripts/dependencies.json"), listed), []);
});
