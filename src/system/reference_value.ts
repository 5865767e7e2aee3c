/**
 * Numbers of the tables that come with systems.
 *
 * @module
 */

/** A number and its standard error, or the bound on its error where it comes from quadrature. */
export interface ReferenceValue {
  /** The number. */
  readonly value: number;
  /** Its error. */
  readonly error: number;
}
