/** The figure whose text is kept: few points, yet an axis pair, a band, a gap, a hollow point, a mark and a legend. */
import { linePlot } from "../../../src/plot/line_plot.ts";

export function smallFigure(): Promise<string> {
  return linePlot(
    [
      { label: "reference", x: [1, 2, 3], y: [0, 10, 4], color: "grey", line: "dashed" },
      {
        label: "flow <1>",
        x: [1, 2, 3, 4],
        y: [0, 9, NaN, 8],
        error: [0.5, 1, 1, 2],
        unreliable: [false, true, false, false],
      },
    ],
    {
      x: { label: "*d* / *r*_0" },
      y: { label: "*F*(*d*) / k_BT" },
      marks: [{ at: 1.5, label: "split" }],
      width: 300,
      height: 220,
    },
  );
}

// Renews the kept text; look at it first. (It is not named .svg because `deno fmt` would reflow it.)
//     deno run -A tests/plot/golden/small_figure.ts > tests/plot/golden/small_figure.svg.txt
if (import.meta.main) await Deno.stdout.write(new TextEncoder().encode(await smallFigure()));
