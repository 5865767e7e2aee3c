/**
 * Foundation of stage 3: networks.
 *
 * In: sizes and a seed. Out: functions of batches with trainable parameters.
 *
 * Start here: {@link Mlp}.
 *
 * @module
 */
export { type Activation, Mlp, type MlpOptions } from "./mlp.ts";
export { glorotUniform } from "./initialise.ts";
