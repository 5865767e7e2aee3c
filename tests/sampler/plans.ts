/**
 * Plans in files: how tests read and change them.
 *
 * @module
 */
import { decodeModel } from "../../src/format/decode_model.ts";
import { encodeModel } from "../../src/format/encode_model.ts";
import { planKey, type PlanStep } from "../../src/sampler/encode_plan.ts";

/** What stands in the metadata of a file. */
export interface Plan {
  readonly version: number;
  readonly parameters: readonly string[];
  readonly tables: readonly (readonly [number, string])[];
  readonly steps: readonly PlanStep[];
  readonly outputs: readonly number[];
}

/** The plan of a file. */
export function planOf(file: Uint8Array): Plan {
  return JSON.parse(decodeModel(file).metadata[planKey]);
}

/** The file with another plan, sealed. */
export function withPlan(file: Uint8Array, change: (plan: Plan) => unknown): Uint8Array<ArrayBuffer> {
  return withMetadata(file, { [planKey]: JSON.stringify(change(planOf(file))) });
}

/** The file with other metadata, sealed; undefined takes an entry out. */
export function withMetadata(
  file: Uint8Array,
  changes: Readonly<Record<string, string | undefined>>,
): Uint8Array<ArrayBuffer> {
  const model = decodeModel(file);
  const entries = Object.entries({ ...model.metadata, ...changes });
  const metadata = Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return encodeModel({ ...model, metadata });
}
