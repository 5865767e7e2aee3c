import { assert, assertEquals, assertThrows } from "@std/assert";
import { type HtmlReport, htmlReport } from "../../src/plot/html_report.ts";
import { activeContent } from "../../src/plot/inline_svg.ts";
import { smallFigure } from "./golden/small_figure.ts";
import { all, parseHtml } from "./parse_svg.ts";

const svg = await smallFigure();
const hostile = `</p><script>alert("x")</script>&<img src=x onerror='y'>`;
const report: HtmlReport = {
  title: `*F* of ${hostile}`,
  subtitle: hostile,
  summary: [
    { label: "Δ*F*", value: "7.02 ± 0.06 k_BT", note: hostile },
    { label: "reweighting", value: "7.4 k_BT", note: "k̂ = 0.83", warning: true },
  ],
  sections: [
    { heading: "One", paragraphs: [hostile, "second"], figures: [{ svg, caption: "First of *d*." }] },
    { heading: hostile, table: { caption: hostile, columns: ["a", "b", hostile], rows: [["x", -1.5, hostile]] } },
    { heading: "Three" },
    { heading: "Four", figures: [{ svg, caption: hostile }, { svg, caption: "Third." }] },
  ],
  footer: "`deno run`",
};

/** What a report must be, whatever text it is fed: one page that runs and loads nothing and shows its texts verbatim. */
function isInert(html: string): boolean {
  const root = parseHtml(html);
  const nothing = "script, img, link, iframe, object, embed, base, [src], [onerror], [onload], [style]";
  const external = all(root, "[href]").filter((a) => !a.getAttribute("href")!.startsWith("#"));
  return all(root, nothing).length === 0 && external.length === 0 && !/@import|url\(/.test(html) &&
    all(root, "footer").length === 1 && all(root, "section").length === 4;
}

Deno.test("htmlReport() is inert whatever its texts are; one that forgets to escape is not", () => {
  const html = htmlReport(report);

  assert(isInert(html));
  assert(!isInert(html.replaceAll("&lt;", "<").replaceAll("&gt;", ">")), "the law must reject unescaped text");
  assertEquals(all(parseHtml(html), "section p")[0].textContent, hostile);
  assertEquals(all(parseHtml(html), "title")[0].textContent, `F of ${hostile}`);
  assertEquals(htmlReport(report), html);
});

Deno.test("htmlReport() numbers its figures and ties captions, headings and contents together", () => {
  const root = parseHtml(htmlReport(report));
  const captions = all(root, "figcaption").map((caption) => caption.textContent);

  assertEquals(captions, ["Figure 1. First of d.", `Figure 2. ${hostile}`, "Figure 3. Third."]);
  const ids = all(root, "[id]").map((element) => element.getAttribute("id"));
  assertEquals(new Set(ids).size, ids.length);
  for (const element of all(root, "[aria-labelledby]")) assert(ids.includes(element.getAttribute("aria-labelledby")));
  assertEquals(all(root, "nav a").map((a) => a.getAttribute("href")), [1, 2, 3, 4].map((i) => `#section-${i}`));
  assertEquals(all(root, "figure svg[role=img][aria-label]").length, 3);
  assertEquals(all(root, "figcaption i").length, 1);
});

Deno.test("htmlReport() sets tables with headings, numbers flush right and a true minus", () => {
  const table = {
    columns: ["estimator", "Δ*F*", "efficiency", "comment"],
    rows: [["BAR", -7.02, "0.2 %", "2 chains, then none"], ["plain MC", "—", "–", "no estimate"]],
  };
  const root = parseHtml(htmlReport({ title: "t", sections: [{ heading: "h", table }] }));

  assertEquals(all(root, "td").map((cell) => cell.textContent).slice(0, 3), ["−7.02", "0.2 %", "2 chains, then none"]);
  assertEquals(all(root, "td").map((cell) => cell.getAttribute("class")).slice(0, 3), ["number", "number", null]);
  assertEquals(all(root, "th[scope=col]").length, 4);
  assertEquals(all(root, "th[scope=row]").map((cell) => cell.textContent), ["BAR", "plain MC"]);
});

Deno.test("htmlReport() says unreliable in words, not only in colour", () => {
  const notes = all(parseHtml(htmlReport(report)), "div.warning .note").map((note) => note.textContent);
  assertEquals(notes, ["unreliable: k̂ = 0.83"]);
});

Deno.test("activeContent() finds what runs or loads and nothing else", () => {
  assertEquals(activeContent(svg), null);
  assertEquals(activeContent(`<svg><text>only = 3, href="x", <![CDATA[]]></text><use href="#a"/></svg>`), null);
  assertEquals(activeContent(`<svg aria-label="d on = 3, url(http://x) &lt;script&gt;"/>`), null);
  const active = [
    `<svg onload="x()"/>`,
    `<svg><script>x</script></svg>`,
    `<svg><a xlink:href='http://x'/></svg>`,
    `<svg><use href = "http://x"/></svg>`,
    `<svg><path fill="url(http://x)"/></svg>`,
    `<svg><style>@import "x"</style></svg>`,
    `<svg><image/></svg>`,
  ];
  for (const text of active) assert(activeContent(text) !== null, text);
  assertEquals(activeContent(`<svg><path fill="url( '#g')"/></svg>`), null);
});

const rejected: [report: unknown, type: ErrorConstructor, message: string][] = [
  [{ title: "t", sections: [] }, RangeError, "sections must not be empty, got 0 values"],
  [{ title: "t" }, TypeError, "sections must be an array, got undefined"],
  [
    { title: "t", sections: [{ heading: "h", figures: [{ svg: "<p>", caption: "c" }] }] },
    TypeError,
    'sections[0].figures[0].svg must be SVG text that starts with <svg, got "<p>"',
  ],
  [
    { title: "t", sections: [{ heading: "h", figures: [{ svg: "<svg onload='x'/>", caption: "c" }] }] },
    RangeError,
    'sections[0].figures[0].svg must hold no scripts or styles and load nothing, got "onload"',
  ],
  [
    { title: "t", sections: [{ heading: "h", table: { columns: ["a", "b"], rows: [["x"]] } }] },
    RangeError,
    "sections[0].table.rows[0] must have as many cells as there are columns (2), got 1",
  ],
];

Deno.test("htmlReport() rejects bad input with one clear sentence", () => {
  for (const [bad, type, message] of rejected) {
    const error = assertThrows(() => htmlReport(bad as HtmlReport), type);
    assertEquals(error.message, `Cannot write a report: ${message}`);
  }
  assertThrows(() => htmlReport({ title: 3, sections: [{ heading: "h" }] } as unknown as HtmlReport), TypeError);
});
