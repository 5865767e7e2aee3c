/**
 * What chains need to go on after a pause.
 *
 * @module
 */

/** Everything that chains need to go on: numbers for JSON, arrays for a file of arrays. */
export interface MetropolisState {
  /** Numbers. */
  readonly numbers: {
    /** Number of chains. */
    readonly chains: number;
    /** T in units of T₀. */
    readonly temperature: number;
    /** Largest move in each coordinate. */
    readonly step: number;
    /** κ of the bias in k_BT. */
    readonly biasConstant: number;
    /** Sweeps that every chain has done. */
    readonly sweeps: number;
    /** Sweeps since the count of accepted moves began. */
    readonly countedSweeps: number;
  };
  /** Arrays. */
  readonly arrays: {
    /** [chains, dim]. */
    readonly positions: Float64Array;
    /** [chains, 8] words of the generators. */
    readonly generators: Int32Array;
    /** [chains] moves accepted. */
    readonly accepted: Float64Array;
    /** [chains] centres of the bias. */
    readonly biasCentres: Float64Array;
    /** [chains, particles] labels of the last frames. */
    readonly labels: Int32Array;
    /** [chains] basins when last seen: 0 closed, 1 open. */
    readonly basins: Int32Array;
    /** [chains] changes of basin. */
    readonly crossings: Int32Array;
  };
}

/**
 * Checks that the arrays of a state belong to a system.
 *
 * @param state what `MetropolisChains.state` returned, perhaps read from a file
 * @param particles particles of the system
 * @throws {RangeError} if an array has another length
 */
export function checkState(state: MetropolisState, particles: number): void {
  const { numbers: { chains }, arrays } = state;
  const lengths = {
    positions: 2 * particles * chains,
    generators: 8 * chains,
    accepted: chains,
    biasCentres: chains,
    labels: particles * chains,
    basins: chains,
    crossings: chains,
  };
  for (const [name, length] of Object.entries(lengths) as [keyof typeof lengths, number][]) {
    if (arrays[name]?.length !== length) {
      throw new RangeError(
        `Cannot resume Metropolis chains: ${name} must have ${length} numbers, got ${arrays[name]?.length}`,
      );
    }
  }
}
