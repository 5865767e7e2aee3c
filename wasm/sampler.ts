/** What opening and running a model file needs: kernels of values, none of derivatives, none of Monte Carlo. */
export * from "./abi";
export { linearF32, packF32 } from "./gemm";
export {
  addF32, cosF32, divideF32, expF32, logF32, multiplyF32, negateF32, normalCdfF32,
  normalQuantileF32, reluF32, scaleShiftF32, sigmoidF32, siluF32,
  sinF32, softplusF32, sqrtF32, squareF32, subtractF32, tanhF32,
} from "./elementwise";
export { affineForwardF32, affineInverseF32 } from "./coupling";
export { mixtureDecodeF32, mixtureEncodeF32, mixtureLogProbF32 } from "./mixture";
export { broadcastRowF32, featureColumnF32, sumFeaturesF32 } from "./reduce";
export { gatherFeaturesF32, insertFeaturesF32, panelsToRowsF64, rowsToPanelsF64 } from "./layout";
export * from "./tilted";
export * from "./spline";
export * from "./particle_energy";
export * from "./alignment";
