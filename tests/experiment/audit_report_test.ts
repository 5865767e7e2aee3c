/** What reports make of an audit: a verdict in words, and no reliable number where it failed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { auditLine, auditSection, doubtUnaudited } from "../../src/experiment/audit_report.ts";
import { dimerReportHtml } from "../../src/experiment/dimer_report_html.ts";
import { dimerReportJson } from "../../src/experiment/dimer_report_json.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { FlowAudit } from "../../src/flow/audit_checks.ts";
import { estimateFrom, noEstimate } from "../../src/reweighting/estimate.ts";
import { syntheticAudit, syntheticOutcome } from "../support/dimer_outcome.ts";

await loadKernels();

const failed: FlowAudit = {
  passed: false,
  checks: [
    syntheticAudit.checks[0],
    {
      ...syntheticAudit.checks[0],
      name: "kernels",
      error: null,
      tolerance: 2e-5,
      verdict: "failed",
      reason: "samples",
    },
  ],
};

Deno.test("auditLine() names what passed, what failed and what was not possible", () => {
  assertEquals(auditLine(syntheticAudit), "Audit of the flow: passed (log-determinant; not possible: integral)");
  assertEquals(auditLine(failed), "Audit of the flow: FAILED by kernels (samples)");
});

Deno.test("auditSection() shows every check with error and tolerance, of one flow or of several", () => {
  const one = auditSection({ flow: syntheticAudit });
  assertEquals(one.heading, "Is the flow what it claims to be?");
  assertMatch(one.paragraphs![0], /The flow passed\.$/);
  assertEquals(one.table!.rows.map((row) => row.slice(2)), [
    ["1", "3.1×10^-8", "7.9×10^-5", "passed"],
    ["–", "–", "–", "not possible: no grid holds a density in 76 dimensions; differences check the volume instead"],
  ]);
  const two = auditSection({ good: syntheticAudit, bad: failed });
  assertMatch(
    two.paragraphs![0],
    /Failed: bad, kernels \(samples\)\. No estimate that uses this density is to be believed\.$/,
  );
  assertEquals(two.table!.rows.map(([flow, name, , , error]) => [flow, name, error]).slice(2), [
    ["bad", "log-determinant", "3.1×10^-8"],
    ["bad", "kernels", "not a number"],
  ]);
});

Deno.test("no estimate is reliable where the audit failed; all stay as they are where it passed", () => {
  const estimates = { bar: estimateFrom(6.8, 0.1), reweighting: noEstimate("every weight is zero") };
  assertEquals(doubtUnaudited(estimates, syntheticAudit), estimates);
  const { bar, reweighting } = doubtUnaudited(estimates, failed);
  assertEquals([bar.value, bar.reliable], [6.8, false]);
  assertEquals(bar.reason, "the audit of the flow failed: kernels (samples)");
  assertEquals(reweighting, estimates.reweighting);
});

Deno.test("the report of a dimer run shows the audit to people and to machines", () => {
  const outcome = { ...syntheticOutcome(), audit: failed };
  const html = dimerReportHtml(outcome, []);
  for (const text of ["Is the flow what it claims to be?", "Failed: kernels (samples).", "not a number"]) {
    assert(html.includes(text), text);
  }
  const { audit } = JSON.parse(JSON.stringify(dimerReportJson(outcome)));
  assertEquals(audit, JSON.parse(JSON.stringify(failed)));
});
