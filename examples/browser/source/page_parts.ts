/**
 * Ways to the parts of the page.
 *
 * @module
 */
/// <reference lib="dom" />

/**
 * Finds an element.
 *
 * @param id of the element
 * @param kind its class
 * @returns the element
 * @throws {Error} if the page has no such element
 */
export function byId<T extends Element>(id: string, kind: { new (): T; readonly name: string }): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`Cannot show the page: it must have a ${kind.name} "${id}", got ${found?.tagName ?? "none"}`);
}

/**
 * Fills the body of a table.
 *
 * @param id of the body
 * @param rows texts; the first of a row is its header
 */
export function fillRows(id: string, rows: readonly (readonly string[])[]): void {
  byId(id, HTMLTableSectionElement).replaceChildren(...rows.map((texts) => {
    const row = document.createElement("tr");
    row.append(...texts.map((text, k) => {
      const cell = document.createElement(k === 0 ? "th" : "td");
      if (k === 0) cell.setAttribute("scope", "row");
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
}

/** Whether the reader wants no animations. */
export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
