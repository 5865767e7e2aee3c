/**
 * Assigns offsets inside a block before the block exists.
 *
 * @module
 */

const ALIGNMENT = 64;

/** A block under construction: pieces are taken and given back; `bytes` is the size that the block will need. */
export class Layout {
  /** Highest end of any piece so far. */
  bytes = 0;
  readonly #free: { offset: number; bytes: number }[] = [];
  readonly #used = new Map<number, number>();

  /** Reserves bytes; returns their offset, a multiple of 64. */
  take(bytes: number): number {
    const size = Math.max(Math.ceil(bytes / ALIGNMENT) * ALIGNMENT, ALIGNMENT);
    const index = this.#smallestFit(size);
    let offset = this.bytes;
    if (index >= 0) {
      const piece = this.#free[index];
      offset = piece.offset;
      piece.offset += size;
      piece.bytes -= size;
      if (piece.bytes === 0) this.#free.splice(index, 1);
    } else {
      this.bytes += size;
    }
    this.#used.set(offset, size);
    return offset;
  }

  #smallestFit(size: number): number {
    let best = -1;
    this.#free.forEach((piece, i) => {
      if (piece.bytes >= size && (best < 0 || piece.bytes < this.#free[best].bytes)) best = i;
    });
    return best;
  }

  /** Gives a piece back. */
  give(offset: number): void {
    const bytes = this.#used.get(offset);
    if (bytes === undefined) throw new Error(`Internal error: nothing is reserved at offset ${offset}`);
    this.#used.delete(offset);
    let at = this.#free.findIndex((piece) => piece.offset > offset);
    if (at < 0) at = this.#free.length;
    this.#free.splice(at, 0, { offset, bytes });
    this.#merge(at);
    if (at > 0) this.#merge(at - 1);
  }

  #merge(at: number): void {
    const [piece, next] = [this.#free[at], this.#free[at + 1]];
    if (next === undefined || piece.offset + piece.bytes !== next.offset) return;
    piece.bytes += next.bytes;
    this.#free.splice(at + 1, 1);
  }
}
