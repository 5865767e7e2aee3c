/**
 * What is written onto a plot besides its data: vertical marks and notes.
 *
 * @module
 */
import type { Scale, Selection } from "./d3.ts";
import { appendText } from "./figure.ts";
import type { Box, Point } from "./legend.ts";
import { textWidth } from "./markup.ts";
import { px, theme } from "./theme.ts";

/** A vertical guide line, labelled above the frame: a stage boundary, a basin's edge. */
export interface PlotMark {
  /** Position on the x axis; a mark outside the domain is not drawn. */
  readonly at: number;
  /** Text with markup; set to the right of the line. */
  readonly label?: string;
}

/** A text next to a point of the plot. */
export interface PlotNote {
  /** Position on the x axis. */
  readonly x: number;
  /** Position on the y axis. */
  readonly y: number;
  /** Text with markup. */
  readonly text: string;
  /** On which side of the point; default `above`. */
  readonly side?: "above" | "below" | "left" | "right";
}

/** A label above the frame with the guide line that leads to it, px. */
export interface Label {
  /** Where the guide line is. */
  readonly leader: number;
  /** Left end of the text. */
  readonly start: number;
  /** Right end of the text. */
  readonly end: number;
}

const ROW = 16;
const CLEARANCE = 5;

/**
 * Stacks labels in rows so that no text is crossed by the guide line of another.
 *
 * @param labels in any order
 * @returns the row of each label, 0 nearest to the frame
 */
export function stackLabels(labels: readonly Label[]): number[] {
  const rows = new Array<number>(labels.length).fill(0);
  // Raising one label can disturb another; n sweeps settle every order that can be settled at all.
  for (let sweep = 0; sweep < labels.length; sweep++) {
    labels.forEach((label, j) =>
      labels.forEach(({ leader }, k) => {
        const crossed = k !== j && leader > label.start - CLEARANCE && leader < label.end + CLEARANCE;
        if (crossed && rows[k] >= rows[j]) rows[j] = rows[k] + 1;
      })
    );
  }
  return rows;
}

/** Marks ready to be drawn. */
export interface PlacedMarks {
  /** Height in px of the rows of labels. */
  readonly height: number;
  /** Draws lines and labels. */
  draw(root: Selection, frame: Box): void;
}

/**
 * Places marks above a frame.
 *
 * @param marks the user's marks
 * @param x the axis
 * @param rightEdge px that no text may pass
 * @returns the height they take and how to draw them
 */
export function placeMarks(marks: readonly PlotMark[], x: Scale, rightEdge: number): PlacedMarks {
  const [a, b] = x.domain();
  const shown = marks.filter(({ at }) => at >= Math.min(a, b) && at <= Math.max(a, b));
  const labelled = shown.filter((mark) => mark.label !== undefined);
  const labels = labelled.map((mark): Label => {
    const leader = x(mark.at);
    const width = textWidth(mark.label!, theme.noteSize);
    const start = Math.min(leader + 4, rightEdge - width);
    return { leader, start, end: start + width };
  });
  const rows = stackLabels(labels);
  const draw = (root: Selection, frame: Box) => {
    for (const mark of shown) {
      const index = labelled.indexOf(mark);
      const own = index >= 0 && labels[index].start < labels[index].leader ? 1 : 0;
      const top = frame.top - (index < 0 ? 0 : (rows[index] + 1 - own) * ROW - 2);
      root.append("path").attr("d", `M${px(x(mark.at))},${px(frame.top + frame.height)}V${px(top)}`)
        .attr("stroke", theme.muted).attr("stroke-width", 0.9).attr("stroke-dasharray", "4 3").attr("fill", "none");
    }
    labelled.forEach((mark, i) => {
      const place = { x: labels[i].start, y: frame.top - rows[i] * ROW - 4, size: theme.noteSize, fill: theme.muted };
      appendText(root, mark.label!, place);
    });
  };
  return { height: labels.length === 0 ? 0 : (Math.max(...rows) + 1) * ROW, draw };
}

function notePlace(note: PlotNote, x: Scale, y: Scale): { x: number; y: number; anchor: "start" | "middle" | "end" } {
  const left = x(note.x);
  const middle = y(note.y) + 0.35 * theme.noteSize;
  switch (note.side) {
    case "left":
      return { x: left - 8, y: middle, anchor: "end" };
    case "right":
      return { x: left + 8, y: middle, anchor: "start" };
    case "below":
      return { x: left, y: middle + 15, anchor: "middle" };
    default:
      return { x: left, y: middle - 13, anchor: "middle" };
  }
}

/** Points that notes cover, px. */
export function* notePoints(notes: readonly PlotNote[], x: Scale, y: Scale): Generator<Point> {
  for (const note of notes) {
    const place = notePlace(note, x, y);
    const width = textWidth(note.text, theme.noteSize);
    const left = place.x - (place.anchor === "middle" ? width / 2 : place.anchor === "end" ? width : 0);
    for (let dx = 0; dx <= width; dx += 5) yield [left + dx, place.y - 4];
  }
}

/** Draws notes, with a white outline that keeps them readable over lines. */
export function drawNotes(root: Selection, notes: readonly PlotNote[], x: Scale, y: Scale): void {
  for (const note of notes) {
    appendText(root, note.text, { ...notePlace(note, x, y), size: theme.noteSize, halo: true });
  }
}
