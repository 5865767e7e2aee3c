/**
 * Where a step of training left the range of numbers.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { KernelRun } from "../autodiff/kernel_run.ts";
import { rowsNotFinite } from "../autodiff/not_finite.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Attributes, PrimitiveName } from "../graph/attributes.ts";
import type { Executor } from "../backend/executor.ts";

/** What helps where training itself drove numbers too far. */
const CALM_DOWN = "lower the learning rate, clip gradients or soften the energy";
/** What helps where numbers came in as they are. */
const MEND_DATA = "give data that are finite";

/**
 * Finds where the numbers of a forward pass first are not finite: in a parameter, an input, or the result of a
 * primitive, with the parameters that it applied. Runs the graph again, every node of it.
 *
 * @param outputs of the graph: what was computed
 * @param inputs of the step
 * @param n number of samples
 * @param pool threads
 * @returns the place, how many numbers or samples, and what may help
 */
export function whereNotFinite(
  outputs: readonly Tensor[],
  inputs: readonly Float64Array[],
  n: number,
  pool: Executor,
): string {
  const { graph } = outputs[0];
  for (const parameter of graph.parameters()) {
    const { count } = rowsNotFinite(parameter.values(), 1);
    if (count > 0) return `${count} of ${parameter.length} numbers of ${parameter.name} are not finite: ${CALM_DOWN}`;
  }
  for (const [i, { shape, attributes: { name } }] of graph.inputs().entries()) {
    const { count, first } = rowsNotFinite(inputs[i], shape[1] as number);
    if (count > 0) {
      return `${count} of ${n} rows of input ${name} are not finite, the first with index ${first}: ${MEND_DATA}`;
    }
  }
  return `${firstNode(outputs, inputs, n, pool)}: ${CALM_DOWN}`;
}

/** The first node, in the order of the computation, with a number that is not finite. */
function firstNode(outputs: readonly Tensor[], inputs: readonly Float64Array[], n: number, pool: Executor): string {
  const { graph } = outputs[0];
  const last = Math.max(...outputs.map(({ id }) => id));
  const nodes = graph.nodes.filter(({ id, primitive }) => id <= last && !isGiven(primitive));
  using run = new KernelRun(nodes.map(({ id, shape }) => ({ graph, id, shape })), { n, pool });
  const values = run.forward(inputs);
  for (const [k, { primitive, inputs: from, shape, attributes }] of nodes.entries()) {
    const { count, first } = rowsNotFinite(values[k], typeof shape[1] === "number" ? shape[1] : 1);
    if (count === 0) continue;
    const parameters = from.map((id) => graph.nodes[id]).filter((node) => node.primitive === "parameter")
      .map(({ attributes }) => (attributes as { parameter: Parameter }).parameter.name);
    const whose = parameters.length === 0 ? "" : ` of ${parameters.join(" and ")}`;
    const whom = shape.length === 0 ? "" : ` for ${count} of ${n} samples, the first with index ${first}`;
    const what = primitive === "external" ? (attributes as Attributes["external"]).operation.name : primitive;
    return `the first is the result of ${what}${whose}${whom}`;
  }
  return "it did not happen again";
}

const isGiven = (primitive: PrimitiveName) => primitive === "input" || primitive === "parameter";

/**
 * Finds which gradients of a backward pass are not finite.
 *
 * @param run that computed them
 * @param parameters that are trained
 * @returns the parameters, how many numbers of each, and what may help
 */
export function whichGradientsNotFinite(run: KernelRun, parameters: readonly Parameter[]): string {
  const broken = parameters.flatMap((parameter) => {
    const { count } = rowsNotFinite(run.gradientOf(parameter), 1);
    return count === 0 ? [] : [`${count} of ${parameter.length} of ${parameter.name}`];
  });
  if (broken.length === 0) return `every gradient is finite, their sum of squares is not: ${CALM_DOWN}`;
  const others = broken.length === 1 ? "" : ` and some of ${broken.length - 1} further parameters`;
  return `${broken[0]}${others} are not: ${CALM_DOWN}`;
}
