/**
 * Cuts the backward pass into stages, after each of which the sums over samples run whose cotangents are complete.
 *
 * @module
 */
import type { Graph, Node } from "../graph/graph.ts";

/** Bytes of cotangents that a stage collects: with the values of the same layers they fit into a common L3 cache. */
const STAGE_BYTES = 8 << 20;
/** The share of that which may pass from one stage to the next, where a cut can be put off to find so little. */
const PASSED_SHARE = 1 / 16;

/** Where the backward pass is cut. */
export interface Cuts {
  /** Nodes after whose derivative a stage ends. */
  readonly last: ReadonlySet<number>;
  /** Nodes whose cotangents begin in one stage and are used in a later one. */
  readonly crossing: ReadonlySet<number>;
}

/** What the cuts depend on. */
export interface BackwardPass {
  /** The graph. */
  readonly graph: Graph;
  /** Its nodes that have a derivative, in the order of the backward pass. */
  readonly nodes: readonly Node[];
  /** Ids of the nodes whose cotangents lie elsewhere from the beginning. */
  readonly seeded: ReadonlySet<number>;
  /** Whether a node or parameter is differentiated, by id. */
  readonly differentiable: readonly boolean[];
  /** Bytes of the value of a node for all samples. */
  bytes(node: Node): number;
}

/** Whether gradients of parameters are sums over the cotangent of a node. */
export function isSummed(graph: Graph, differentiable: readonly boolean[], node: Node): boolean {
  return parametersOf(graph, differentiable, node).length > 0;
}

function parametersOf(graph: Graph, differentiable: readonly boolean[], { inputs }: Node): number[] {
  return inputs.filter((id) => graph.nodes[id].primitive === "parameter" && differentiable[id]);
}

/**
 * Chooses the cuts: about every 8 MiB of cotangents that sums read, where little else is under way, and before a second
 * sum for the same parameter.
 */
export function cutBackward(pass: BackwardPass): Cuts {
  const { graph, nodes, differentiable } = pass;
  const born = births(pass);
  const position = new Map(nodes.map(({ id }, p) => [id, p]));
  const dying = (node: Node) => born.has(node.id) ? pass.bytes(node) : 0;
  const bornAt = nodes.map(() => 0);
  for (const [id, p] of born) bornAt[p] += pass.bytes(graph.nodes[id]);
  const last = new Set<number>();
  const stageAt: number[] = [];
  let [stage, collected, passing] = [0, 0, 0];
  let parameters = new Set<number>();
  const close = (p: number) => {
    last.add(nodes[p].id);
    [stage, collected, parameters] = [stage + 1, 0, new Set()];
  };
  nodes.forEach((node, p) => {
    const own = parametersOf(graph, differentiable, node);
    if (own.some((id) => parameters.has(id))) close(p - 1);
    stageAt.push(stage);
    own.forEach((id) => parameters.add(id));
    if (own.length > 0) collected += pass.bytes(node);
    passing += bornAt[p] - dying(node);
    const enough = collected >= (passing <= PASSED_SHARE * STAGE_BYTES ? 1 : 2) * STAGE_BYTES;
    if (enough && p < nodes.length - 1) close(p);
  });
  const crossing = [...born].filter(([id, p]) => stageAt[position.get(id) ?? p] !== stageAt[p]).map(([id]) => id);
  return { last, crossing: new Set(crossing) };
}

/** For each node whose cotangent the pass computes, the place in the pass where that begins. */
function births({ graph, nodes, seeded, differentiable }: BackwardPass): Map<number, number> {
  const born = new Map<number, number>();
  nodes.forEach((node, p) => {
    for (const id of node.inputs) {
      const computed = differentiable[id] && !seeded.has(id) && graph.nodes[id].primitive !== "parameter";
      if (computed && !born.has(id)) born.set(id, p);
    }
  });
  return born;
}
