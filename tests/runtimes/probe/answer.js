/**
 * What every runtime is asked: some samples of a model for a seed, to the last bit, and how long they took. Runs wherever
 * JavaScript does, so it uses nothing that one of them lacks.
 *
 * @module
 */

/**
 * Answers one question.
 *
 * @param {URLSearchParams} question `model`, `backend` ("kernels" or "onnxruntime"), `build` ("relaxed" or "baseline"),
 * `n`, `seed`, `weigh` and `density` if log-weights and densities of the samples are wanted, `rounds` if rates are to be measured
 * @param {object} host what this runtime has: `loadSampler`, and functions `file(name)` for model files, `kernels(build)`
 * and `onnxruntime()`, each of which may return a promise
 * @returns {Promise<string>} JSON; arrays of float64 as base64, in the byte order of the machine
 */
export async function answer(question, { loadSampler, file, kernels, onnxruntime }) {
  const [model, backend, build] = ["model", "backend", "build"].map((name) => question.get(name));
  const [n, seed, rounds] = ["n", "seed", "rounds"].map((name) => Number(question.get(name)));
  const options = { kernels: await kernels(build) };
  if (backend === "onnxruntime") options.onnxruntime = await onnxruntime();
  const source = await file(`${model}.onnx`);
  if (question.has("density")) options.density = await file(`${model}_density.onnx`);
  const start = performance.now();
  const sampler = await loadSampler(source, { backend, ...options });
  await sampler.sample(1, { seed });
  const startUpMs = performance.now() - start;
  const { x, logProb } = await sampler.sample(n, { seed });
  const logWeights = question.has("weigh") ? await sampler.logWeights(x, logProb) : new Float64Array();
  const again = question.has("density") ? await sampler.logProb(x) : new Float64Array();
  const rates = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await sampler.sample(n, { seed: seed + round });
    rates.push(n / ((performance.now() - start) / 1000));
  }
  const used = sampler.backend;
  await sampler.close();
  return JSON.stringify({
    backend: used,
    startUpMs,
    rates,
    ...Object.fromEntries(Object.entries({ x, logProb, logWeights, again }).map(([key, a]) => [key, encode(a)])),
  });
}

function encode(numbers) {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}
