/**
 * A panel of free-energy profiles: exact, of the flow as it samples, and reweighted.
 *
 * @module
 */
import type { AxisOptions } from "../../plot/axes.ts";
import { linePlot, type LineSeries } from "../../plot/line_plot.ts";
import type { FreeEnergyProfile } from "../../reweighting/profile_band.ts";

/** What a panel shows. */
export interface ProfilePanel {
  /** Heading. */
  readonly title: string;
  /** Horizontal axis. */
  readonly x: AxisOptions;
  /** Title of the vertical axis. */
  readonly label: string;
  /** Values shown. */
  readonly domain: readonly [number, number];
  /** Exact F in each bin. */
  readonly exact: Float64Array;
  /** The flow without weights. */
  readonly raw: FreeEnergyProfile;
  /** The flow with weights. */
  readonly reweighted: FreeEnergyProfile;
  /** Size in px; default 520 × 320. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** What {@link profilePanel} draws, for captions. */
export const PROFILE_KEY =
  "Samples of the flow as they come (raw) and with their weights; dashed: exact, by quadrature. Bands and bars cover 95 %; hollow points rest on fewer than 50 effective samples or " +
  "have no error, and bins without samples have no point. Nothing is shifted: all are normalised densities.";

/**
 * Draws exact, raw and reweighted profiles with 95 % bands.
 *
 * @param panel what it shows
 * @returns SVG text
 */
export function profilePanel(panel: ProfilePanel): Promise<string> {
  const { title, x, label, domain, exact, raw, reweighted, size = { width: 520, height: 320 } } = panel;
  const series: LineSeries[] = [
    { ...points(raw), label: "raw", color: "orange", faint: true },
    { ...points(reweighted), label: "reweighted", color: "blue", unreliable: doubtful(reweighted) },
    { label: "exact", x: raw.centers, y: exact, color: "black", line: "dashed" },
  ];
  return linePlot(series.filter(({ y }) => Array.from(y).some(Number.isFinite)), {
    title,
    x,
    y: { label, domain },
    ...size,
    legend: "above",
    unreliableLabel: "doubtful",
  });
}

/** A profile as a curve with the half widths of its band. */
function points({ centers, freeEnergy, lower, upper }: FreeEnergyProfile): Pick<LineSeries, "x" | "y" | "error"> {
  return {
    x: centers,
    y: freeEnergy.map((f) => f ?? NaN),
    error: upper.map((end, bin) => ((end ?? NaN) - (lower[bin] ?? NaN)) / 2),
  };
}

/** Bins that have a value which should not be read. */
function doubtful({ freeEnergy, reliable }: FreeEnergyProfile): boolean[] {
  return reliable.map((is, bin) => !is && freeEnergy[bin] !== null);
}
