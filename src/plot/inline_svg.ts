/**
 * Decides whether an SVG text may stand inside a report.
 *
 * @module
 */
import { show } from "./check.ts";

const TAG = /<([a-z][\w:.-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/g;
const ACTIVE_ELEMENTS = ["script", "foreignobject", "style", "iframe", "image", "animate", "set"];

/** The first thing in an SVG text that could run or load something, or null. */
export function activeContent(svg: string): string | null {
  for (const [, element, attributes] of svg.matchAll(TAG)) {
    if (ACTIVE_ELEMENTS.includes(element.toLowerCase())) return `<${element}>`;
    for (const [, name, quoted] of attributes.matchAll(ATTRIBUTE)) {
      const value = quoted.replace(/^["']|["']$/g, "").trim();
      const handler = /^on/i.test(name);
      const reference = /(?:^|:)(?:href|src)$/i.test(name) && !value.startsWith("#");
      if (handler || reference) return name;
      if (/url\(\s*["']?(?!\s*["']?#)/i.test(value) && !name.startsWith("aria-")) return `${name}="${value}"`;
    }
  }
  return null;
}

/** Throws unless `svg` is SVG text that neither runs nor loads anything. */
export function requireInertSvg(action: string, name: string, svg: unknown): asserts svg is string {
  if (typeof svg !== "string" || !svg.startsWith("<svg")) {
    throw new TypeError(`Cannot ${action}: ${name} must be SVG text that starts with <svg, got ${show(svg)}`);
  }
  const active = activeContent(svg);
  if (active !== null) {
    throw new RangeError(
      `Cannot ${action}: ${name} must hold no scripts or styles and load nothing, got ${show(active)}`,
    );
  }
}
