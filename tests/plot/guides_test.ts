import { assert, assertEquals } from "@std/assert";
import { type Label, stackLabels } from "../../src/plot/guides.ts";
import { findPlace, type LegendEntry, legendRows, type Point } from "../../src/plot/legend.ts";

const at = (leader: number, width: number): Label => ({ leader, start: leader + 4, end: leader + 4 + width });

/** No guide line, which reaches up to its own row, may cross another label in that row or below it. */
function readable(labels: readonly Label[], rows: readonly number[]): boolean {
  return labels.every((label, j) =>
    labels.every(({ leader }, k) => k === j || rows[k] < rows[j] || !(leader >= label.start && leader <= label.end))
  );
}

Deno.test("stackLabels() keeps crowded labels readable; one row does not", () => {
  const crowded = [at(0, 100), at(50, 80), at(90, 100), at(400, 100), at(460, 20)];

  assert(readable(crowded, stackLabels(crowded)));
  assertEquals(stackLabels(crowded), [2, 1, 0, 1, 0]);
  assertEquals(stackLabels([at(0, 40), at(100, 40)]), [0, 0]);
  assert(!readable(crowded, crowded.map(() => 0)), "the law must reject a single row");
});

Deno.test("stackLabels() raises a label that was pushed left from the edge above its neighbours", () => {
  const labels = [at(300, 30), { leader: 480, start: 290, end: 496 }];
  const rows = stackLabels(labels);

  assert(rows[1] > rows[0]);
  assert(readable([labels[0], { ...labels[1], leader: NaN }], rows));
});

const entries: LegendEntry[] = ["flow", "reference"].map((label) => ({ label, color: "#000000", dash: "" }));
const frame = { left: 50, top: 20, width: 500, height: 300 };

type Finder = typeof findPlace;

/** A legend lies inside the frame and on no data, or says that it cannot. */
function keepsClear(find: Finder, occupied: readonly Point[]): boolean {
  const box = find(entries, frame, occupied);
  if (box === null) return true;
  const inside = box.left >= frame.left && box.left + box.width <= frame.left + frame.width &&
    box.top >= frame.top && box.top + box.height <= frame.top + frame.height;
  return inside &&
    occupied.every(([x, y]) => x < box.left || x > box.left + box.width || y < box.top || y > box.top + box.height);
}

function grid(x0: number, x1: number, y0: number, y1: number): Point[] {
  const out: Point[] = [];
  for (let x = x0; x <= x1; x += 5) for (let y = y0; y <= y1; y += 5) out.push([x, y]);
  return out;
}

Deno.test("findPlace() avoids the data wherever they are and gives up when they are everywhere", () => {
  const left = grid(50, 290, 20, 320);
  const upper = grid(50, 550, 20, 170);
  const middle = grid(200, 400, 20, 320);

  for (const points of [left, upper, middle]) {
    assert(findPlace(entries, frame, points) !== null);
    assert(keepsClear(findPlace, points));
  }
  assertEquals(findPlace(entries, frame, grid(50, 550, 20, 320)), null);
  const careless: Finder = (lines, box) => findPlace(lines, box, []);
  assert(!keepsClear(careless, upper), "the law must reject a legend that ignores the data");
});

Deno.test("legendRows() breaks lines and loses no entry", () => {
  const many = Array.from({ length: 9 }, (_, i): LegendEntry => ({ label: `series ${i}`, color: "#000000", dash: "" }));
  const rows = legendRows(many, 250);

  assertEquals(rows.flat(), many);
  assertEquals(rows.length, 5);
  assertEquals(legendRows(many, 5).length, 9);
});
