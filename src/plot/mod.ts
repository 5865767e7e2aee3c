/**
 * Stage 8 of 8: plot. Pictures of what came out, and the report that shows them.
 *
 * In: arrays of numbers. Out: SVG and HTML text. Nothing of the other stages is known here. d3-node is loaded when the
 * first figure is drawn (it needs `--allow-env`), so importing this costs nothing. Figures have white paper,
 * scale through their viewBox, share colours that survive colour blindness and grey print, hold neither ids nor
 * timestamps, and are the same bytes for the same data.
 *
 * Start at `line_plot.ts`; what all plots share is in `cartesian.ts`, the look in `theme.ts`, formulas in labels in
 * `markup.ts`.
 *
 * @module
 */
export { linePlot, type LinePlotOptions, type LineSeries } from "./line_plot.ts";
export {
  type HistogramDensity,
  histogramDensity,
  type HistogramOptions,
  histogramPlot,
  type HistogramSample,
} from "./histogram.ts";
export { type PointCloud, scatterPlot } from "./scatter_plot.ts";
export { type ContourGrid, type ContourOptions, contourPlot } from "./contour_plot.ts";
export {
  type ConfigurationOptions,
  type ConfigurationPanel,
  configurationPanels,
  type ConfigurationPanelsOptions,
  configurationPlot,
} from "./configuration_plot.ts";
export { figureGrid, type FigureGridOptions } from "./figure_grid.ts";
export {
  type HtmlReport,
  htmlReport,
  type ReportFigure,
  type ReportNumber,
  type ReportSection,
  type ReportTable,
} from "./html_report.ts";
export type { AxisOptions, Tick } from "./axes.ts";
export type { CartesianOptions } from "./cartesian.ts";
export type { PlotMark, PlotNote } from "./guides.ts";
export { type ColorName, palette } from "./theme.ts";
