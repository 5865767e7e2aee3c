/**
 * Numbers of a run over temperatures as its reports look them up and write them.
 *
 * @module
 */
import type { Estimate } from "../reweighting/estimate.ts";
import type { TemperatureReference } from "./temperature_results.ts";

/** The reference at a temperature, if there is one. */
export function referenceAt(
  references: readonly TemperatureReference[],
  temperature: number,
): TemperatureReference | undefined {
  return references.find((reference) => Math.abs(reference.temperature / temperature - 1) < 1e-9);
}

/** An estimate in k_BT turned into k_BT₀. */
export function inT0(estimate: Estimate, temperature: number): Estimate {
  const { value, standardError, interval95 } = estimate;
  return {
    ...estimate,
    value: value === null ? null : value * temperature,
    standardError: standardError === null ? null : standardError * temperature,
    interval95: interval95 === null ? null : [interval95[0] * temperature, interval95[1] * temperature],
  };
}

/** A temperature with up to four digits. */
export const temperatureText = (temperature: number) => String(Number(temperature.toPrecision(4)));
