/**
 * Watches the kernels' memory: whoever writes where nothing was given to it is found out.
 *
 * @module
 */
import { allocate, release, u8 } from "../../src/backend/wasm.ts";

/** Bytes of a guard. */
const GUARD = 4096;
/** Sizes of the gaps before guards, into which what is allocated later falls: small ones first. */
const GAPS = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1 << 20, 4 << 20, 1 << 20, 65_536, 4096, 256];

/** Guards around gaps of all sizes. */
export class GuardedMemory implements Disposable {
  /** Where guards lie. */
  readonly addresses: readonly number[];

  constructor() {
    const guards = [allocate(GUARD)];
    const gaps = GAPS.map((bytes) => {
      const gap = allocate(bytes);
      guards.push(allocate(GUARD));
      return gap;
    });
    gaps.forEach(release);
    guards.forEach((address) => u8(address, GUARD).fill(0xa5));
    this.addresses = guards;
  }

  /** Whether every guard is as it was. */
  isIntact(): boolean {
    return this.addresses.every((address) => u8(address, GUARD).every((byte) => byte === 0xa5));
  }

  [Symbol.dispose](): void {
    this.addresses.forEach(release);
  }
}
