import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { escapeText, markupToHtml, parseMarkup, plainText, textWidth } from "../../src/plot/markup.ts";
import { all, parseSvg } from "./parse_svg.ts";

const styled = (text: string) =>
  parseMarkup(text).map((run) => run.style === "plain" ? run.text : `${run.style}:${run.text}`);

Deno.test("parseMarkup() sets the formulas of physics", () => {
  assertEquals(styled("*F*(*d*) / k_BT"), ["italic:F", "(", "italic:d", ") / ", "italic:k", "sub:B", "italic:T"]);
  assertEquals(styled("Δ*F*, w_{ML}, x_0, *r*_0"), [
    "Δ",
    "italic:F",
    ", w",
    "sub:ML",
    ", x",
    "sub:0",
    ", ",
    "italic:r",
    "sub:0",
  ]);
  assertEquals(styled("10^4, 10^-3, (k_BT)^{-1}, m^2"), [
    "10",
    "super:4",
    ", 10",
    "super:−3",
    ", (",
    "italic:k",
    "sub:B",
    "italic:T",
    ")",
    "super:−1",
    ", m",
    "super:2",
  ]);
  assertEquals(styled("see `report_a*b*.json`"), ["see ", "code:report_a*b*.json"]);
});

Deno.test("parseMarkup() leaves names, products and escaped characters alone", () => {
  for (const text of ["sample_onnx.ts", "2*3*4", "a * b * c", "max_value^", "<b>&amp;</b>", "", "train_loss"]) {
    assertEquals(styled(text).join("|"), text);
  }
  assertEquals(plainText("\\*d\\*, k\\_B, \\`x\\`, 2\\^3"), "*d*, k_B, `x`, 2^3");
});

Deno.test("parseMarkup() refuses what no XML file may hold", () => {
  assertThrows(
    () => parseMarkup("a\u0000b"),
    RangeError,
    "Cannot write text: it must hold no control characters, got U+0000 at index 1",
  );
  assertThrows(
    () => parseMarkup("\ud800"),
    RangeError,
    "Cannot write text: it must hold no control characters, got U+D800 at index 0",
  );
  assertThrows(
    () => parseMarkup(3 as unknown as string),
    TypeError,
    "Cannot write text: it must be a string, got 3",
  );
  assertEquals(plainText("😀 ok"), "😀 ok");
});

/** The law of escaping: a strict parser gives back the text, from content and from an attribute. */
function survivesXml(escape: (text: string) => string): boolean {
  const nasty = `<script>"a" & 'b'</script> ]]> &amp; 1 < 2 > 0`;
  try {
    const root = parseSvg(`<svg label="${escape(nasty)}" other='${escape(nasty)}'>${escape(nasty)}</svg>`);
    return root.textContent === nasty && root.getAttribute("label") === nasty && root.getAttribute("other") === nasty;
  } catch {
    return false;
  }
}

Deno.test("escapeText() survives a strict parser; broken escapers do not", () => {
  assert(survivesXml(escapeText));
  assert(!survivesXml((text) => text.replaceAll("<", "&lt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;")));
  assert(!survivesXml((text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")));
  assert(!survivesXml((text) => escapeText(escapeText(text))));
});

Deno.test("markupToHtml() escapes everything that is not markup", () => {
  assertEquals(
    markupToHtml("<i>*d*</i> & `a<b` k_BT x^2"),
    "&lt;i&gt;<i>d</i>&lt;/i&gt; &amp; <code>a&lt;b</code> <i>k</i><sub>B</sub><i>T</i> x<sup>2</sup>",
  );
  assertEquals(all(parseSvg(`<svg>${markupToHtml("<i>x</i>")}</svg>`), "i").length, 0);
});

Deno.test("textWidth() follows the glyphs: sums, size, small scripts", () => {
  const close = (a: number, b: number) => assert(Math.abs(a - b) < 1e-9, `${a} and ${b}`);
  close(textWidth("abc", 10) + textWidth("def", 10), textWidth("abcdef", 10));
  close(textWidth("abc", 20), 2 * textWidth("abc", 10));
  // Helvetica: m = 0.833 em (kept as 0.86), i = 0.222 em; the factor 1.1 is room for other fonts.
  close(textWidth("i", 100), 1.1 * 22.2);
  assertGreater(textWidth("m", 10), 3 * textWidth("i", 10));
  close(textWidth("x_{bb}", 10) - textWidth("x", 10), 0.72 * textWidth("bb", 10));
});
