/**
 * Loads d3 and its server-side document on first use. The only file that names d3-node.
 *
 * d3-node ships no types; the interfaces below state exactly the part of d3 that the figures use.
 *
 * @module
 */

/** A d3 selection, reduced to what draws: append an element, set an attribute, set the text. */
export interface Selection {
  /** Appends a child element and selects it. */
  append(name: string): Selection;
  /** Sets an attribute. */
  attr(name: string, value: string | number): Selection;
  /** Replaces the content by text; the serialiser escapes it. */
  text(value: string): Selection;
  /** The element itself. */
  node(): unknown;
}

/** A continuous d3 scale from data to pixels. */
export interface Scale {
  (value: number): number;
  /** Maps a pixel back to data. */
  invert(pixel: number): number;
  /** Data interval. */
  domain(): number[];
  /** Sets the data interval. */
  domain(interval: readonly number[]): Scale;
  /** Pixel interval. */
  range(): number[];
  /** Sets the pixel interval. */
  range(interval: readonly number[]): Scale;
  /** Round values inside the domain, about `count` of them. */
  ticks(count?: number): number[];
  /** Formats those values with the digits they need. */
  tickFormat(count?: number, specifier?: string): (value: number) => string;
  /** Half width of the linear part (symmetric log scale only). */
  constant?(value: number): Scale;
}

/** A d3 path generator over point indices 0 … n − 1. */
export interface PathGenerator {
  (indices: Iterable<number>): string | null;
  /** Which points exist; a gap is left at the others. */
  defined(accessor: (index: number) => boolean): PathGenerator;
  /** Pixel abscissa. */
  x(accessor: (index: number) => number): PathGenerator;
  /** Pixel ordinate (lines). */
  y(accessor: (index: number) => number): PathGenerator;
  /** Pixel ordinate of the lower edge (areas). */
  y0(accessor: (index: number) => number): PathGenerator;
  /** Pixel ordinate of the upper edge (areas). */
  y1(accessor: (index: number) => number): PathGenerator;
  /** Decimals of the printed coordinates. */
  digits(count: number): PathGenerator;
}

/** One filled contour in grid coordinates: everything at or above `value`. */
export interface ContourPolygons {
  /** Lower bound of the region. */
  readonly value: number;
  /** Polygons, each a list of closed rings of [column, row]. */
  readonly coordinates: readonly (readonly (readonly (readonly [number, number])[])[])[];
}

/** The contour generator of d3. */
export interface ContourGenerator {
  (values: ArrayLike<number>): ContourPolygons[];
  /** Columns and rows of the grid. */
  size(size: readonly [number, number]): ContourGenerator;
  /** Levels. */
  thresholds(levels: readonly number[]): ContourGenerator;
}

/** The part of d3 that the figures use. */
export interface D3 {
  /** Linear scale. */
  scaleLinear(): Scale;
  /** Logarithmic scale. */
  scaleLog(): Scale;
  /** Symmetric logarithmic scale: sign(v) ln(1 + |v / c|). */
  scaleSymlog(): Scale;
  /** Polyline generator. */
  line(): PathGenerator;
  /** Band generator. */
  area(): PathGenerator;
  /** Marching squares. */
  contours(): ContourGenerator;
  /** Wraps an element of the document in a selection. */
  select(node: unknown): Selection;
}

/** d3 together with the document it draws into and the way out of it. */
export interface Drawing {
  /** The library. */
  readonly d3: D3;
  /** Creates an empty, detached `<svg>` element. */
  createSvg(): Selection;
  /** Writes an element as XML: well-formed, unlike HTML serialisation, which leaves `<` in attributes. */
  serialize(node: unknown): string;
}

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

let loading: Promise<Drawing> | undefined;

async function importSilently(): Promise<Drawing> {
  // d3-node's document requires the deprecated `punycode`; its notice would greet every user on stderr.
  // Imported here, not above: `mod.ts` must load where there is no node:process.
  const { default: process } = await import("node:process");
  const flags = process as unknown as { noDeprecation?: boolean };
  const before = flags.noDeprecation ?? false;
  flags.noDeprecation = true;
  try {
    // A literal would be downloaded with the module graph, 20 MB that a program without plots does not need.
    const { D3Node } = await import("npm:d3-node@4.0.2" as string);
    const { d3, window, document } = new D3Node();
    const serializer = new window.XMLSerializer();
    return {
      d3,
      createSvg: () => d3.select(document.createElementNS(SVG_NAMESPACE, "svg")),
      serialize: (node) => serializer.serializeToString(node),
    };
  } finally {
    flags.noDeprecation = before;
  }
}

/**
 * Loads d3 once; later calls return the same object.
 *
 * A failed load is forgotten, so that a program that gains the network or a permission may try again.
 *
 * @returns d3 and its document
 * @throws {Error} if the package cannot be loaded, with the reason
 */
export function loadD3(): Promise<Drawing> {
  loading ??= importSilently().catch((cause: unknown) => {
    loading = undefined;
    if (cause instanceof Error && cause.name === "NotCapable") {
      throw new Error("Cannot draw a plot: d3-node must see the environment, got no permission: run with --allow-env", {
        cause,
      });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot draw a plot: d3-node must load, got ${reason}`, { cause });
  });
  return loading;
}
