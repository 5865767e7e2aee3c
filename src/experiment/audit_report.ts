/**
 * The audit of a trained flow as reports show it.
 *
 * @module
 */
import type { AuditCheck, FlowAudit } from "../flow/audit_checks.ts";
import type { ReportSection } from "../plot/html_report.ts";
import type { Estimate } from "../reweighting/estimate.ts";
import { doubtedBy } from "./estimates.ts";
import { count, NOTHING, power } from "./report_numbers.ts";

/** How thoroughly runs audit their flow: 76 dimensions of tilted densities take 15 s, most of it for the Jacobian. */
export const RUN_AUDIT = { samples: 2, jacobians: 1 } as const;

/**
 * Marks estimates that rest on a flow's density as unreliable where the audit of the flow failed.
 *
 * @param estimates by name
 * @param audit of the flow
 * @returns the estimates; those that were unreliable before keep their reason
 */
export function doubtUnaudited<T extends Readonly<Record<string, Estimate>>>(estimates: T, audit: FlowAudit): T {
  if (audit.passed) return estimates;
  const reason = `the audit of the flow failed: ${failures(audit)}`;
  const doubted = Object.entries(estimates).map(([name, estimate]) => [name, doubtedBy(estimate, reason)]);
  return Object.fromEntries(doubted) as T;
}

/** The checks that failed, with what failed in each. */
function failures({ checks }: FlowAudit): string {
  return checks.filter(({ verdict }) => verdict === "failed").map(({ name, reason }) => `${name} (${reason})`).join(
    ", ",
  );
}

/**
 * Says in one line what an audit found.
 *
 * @param audit of a flow
 * @returns for a terminal
 */
export function auditLine(audit: FlowAudit): string {
  if (!audit.passed) return `Audit of the flow: FAILED by ${failures(audit)}`;
  const by = (verdict: AuditCheck["verdict"]) =>
    audit.checks.filter((check) => check.verdict === verdict).map(({ name }) => name).join(", ");
  const left = by("not possible");
  return `Audit of the flow: passed (${by("passed")}${left === "" ? "" : `; not possible: ${left}`})`;
}

/**
 * The section of a report that shows the audits of flows, one or several by name.
 *
 * @param audits by the name of the flow; a single flow needs none
 * @returns the section with its table
 */
export function auditSection(audits: Readonly<Record<string, FlowAudit>>): ReportSection {
  const entries = Object.entries(audits);
  const failed = entries.filter(([, { passed }]) => !passed);
  const several = entries.length > 1;
  const verdict = failed.length === 0
    ? `${several ? "All flows" : "The flow"} passed.`
    : `Failed: ${
      failed.map(([name, audit]) => `${several ? `${name}, ` : ""}${failures(audit)}`).join("; ")
    }. No estimate that uses this density is to be believed.`;
  return {
    heading: several ? "Are the flows what they claim to be?" : "Is the flow what it claims to be?",
    paragraphs: [
      "After training, at samples of the flow and at evaluation frames: the inverse must undo the map, its log-determinant " +
      "be that of the Jacobian by differences, the log-densities by all ways agree, and the kernels, which are float32, " +
      "give what float64 gives. Each tolerance is what rounding to float32, or the step of the differences, may do to this " +
      "very flow. " + verdict,
      "This says that weights and estimates rest on the right density. It says nothing about how near the flow is to the " +
      "target, nor whether it knows all states.",
    ],
    table: {
      columns: [...several ? ["flow"] : [], "check", "compares", "points", "largest error", "tolerance", "verdict"],
      rows: entries.flatMap(([flow, { checks }]) =>
        checks.map(({ name, compares, points, error, tolerance, verdict, reason }) => [
          ...several ? [flow] : [],
          name,
          compares,
          points === 0 ? NOTHING : count(points),
          points === 0 ? NOTHING : error === null ? "not a number" : power(error),
          points === 0 ? NOTHING : power(tolerance),
          reason === null ? verdict : `${verdict}: ${reason}`,
        ])
      ),
    },
  };
}
