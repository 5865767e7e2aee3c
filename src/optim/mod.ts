/**
 * Foundation of stage 5: how parameters follow gradients.
 *
 * In: gradients. Out: better parameters.
 *
 * Start here: {@link Adam}.
 *
 * @module
 */
export { Adam, type AdamOptions, type AdamStep } from "./adam.ts";
export { learningRateAt, type LearningRateSchedule } from "./schedule.ts";
