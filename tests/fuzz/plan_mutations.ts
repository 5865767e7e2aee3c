/**
 * Plans that are written correctly and mean something else, or nothing.
 *
 * @module
 */
import type { PlanStep } from "../../src/sampler/encode_plan.ts";
import type { Plan } from "../sampler/plans.ts";
import type { Dice } from "./mutate.ts";

/** A step of any form. */
type AnyStep = readonly unknown[];

/** Primitives of all kinds, some that plans must not hold, and names that mean something to JavaScript. */
const names =
  ("tanh exp log relu sigmoid silu softplus square negate sqrt sin cos add subtract multiply divide concat " +
    "sumFeatures affineForward affineInverse linear broadcast gather column power scaleShift constantColumn mixtureLogProb " +
    "mixtureEncode mixtureDecode tiltedLogProb tiltedEncode tiltedDecode splineForward splineInverse input parameter " +
    "external mean sum __proto__ constructor toString").split(" ");

const extremes: readonly unknown[] = [
  ...[
    0,
    -0,
    1,
    -1,
    2,
    3,
    5,
    7,
    9,
    17,
    33,
    129,
    0.5,
    -0.5,
    2 ** 20,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e-300,
    1e30,
    -1e30,
    1e300,
  ],
  ...[null, "", "0", "NaN", true, [], {}, [[]], { length: 1 }],
];

function value(dice: Dice): unknown {
  return dice.pick(extremes);
}

/** Another entry of a JSON value of any form. */
function otherJson(json: unknown, dice: Dice): unknown {
  if (Array.isArray(json)) return otherList(json, dice);
  if (typeof json !== "object" || json === null || dice.below(8) === 0) return value(dice);
  const entries = Object.entries(json);
  if (entries.length === 0) return { [dice.pick(["indices", "bins", "pairs", "tables"])]: value(dice) };
  const [key, old] = dice.pick(entries);
  if (dice.below(8) === 0) return Object.fromEntries(entries.filter(([name]) => name !== key));
  return { ...json, [key]: otherJson(old, dice) };
}

function otherList(list: readonly unknown[], dice: Dice): unknown {
  const at = dice.below(Math.max(1, list.length));
  switch (dice.below(7)) {
    case 0:
      return list.toReversed();
    case 1:
      return list.toSpliced(at, 1);
    case 2:
      return [...list, list[at] ?? 0];
    case 3:
      return list.length === 0 ? [0] : list.with(at, value(dice));
    case 4:
      return list.length === 0 ? [1] : list.with(at, list[dice.below(list.length)]);
    case 5:
      return repeated(list[at] ?? 0, dice);
    default:
      return value(dice);
  }
}

/** Something many times, within some 20 kB of text. */
function repeated(item: unknown, dice: Dice): unknown {
  return new Array(1 + dice.below(Math.ceil(20_000 / (1 + JSON.stringify(item).length)))).fill(item);
}

/** Operands near those that are there, so that sizes fit now and then. */
function otherOperands(operands: readonly unknown[], k: number, dice: Dice): unknown {
  if (operands.length === 0 || dice.below(6) === 0) return otherList(operands, dice);
  const near = () => dice.below(2) === 0 ? dice.below(k + 1) : Math.max(0, k - dice.below(6));
  return operands.with(dice.below(operands.length), near());
}

function otherStep(step: AnyStep, k: number, dice: Dice): AnyStep {
  const [name, operands, attributes] = step;
  switch (dice.below(4)) {
    case 0:
      return [dice.pick(names), ...step.slice(1)];
    case 1:
    case 2:
      return [name, otherOperands(operands as unknown[], k, dice), ...step.slice(2)];
    default:
      return [name, operands, otherJson(attributes ?? {}, dice)];
  }
}

/** A step that may well be possible where it stands. */
function newStep(k: number, dice: Dice): AnyStep {
  const [a, b, c] = [0, 0, 0].map(() => dice.below(k + 1));
  return dice.pick<AnyStep>([
    [dice.pick(names), [a]],
    [dice.pick(names), [a, b]],
    [dice.pick(names), [a, b, c]],
    ["concat", [a, a]],
    ["gather", [a], { indices: [dice.below(4), 0] }],
    ["column", [a], { index: dice.below(4) }],
    ["constantColumn", [], { value: 3 }],
    ["power", [a], { exponent: value(dice) }],
    ["scaleShift", [a], { scale: 1e30, shift: -1e30 }],
  ]);
}

/** Steps that make a value as wide as they are many, at the end of a plan. */
function swollen(plan: Plan, dice: Dice): unknown {
  const first = plan.steps.length;
  const doublings = dice.below(24);
  const more = Array.from({ length: doublings }, (_, i) => ["concat", new Array(2).fill(i === 0 ? 0 : first + i - 1)]);
  const copies = Array.from({ length: dice.below(64) }, () => ["exp", [first + doublings - 1]]);
  const steps = [...plan.steps, ...more, ...copies];
  const sum = [["sumFeatures", [steps.length - 1]]];
  return { ...plan, steps: [...steps, ...sum], outputs: [plan.outputs[0], steps.length] };
}

/** Steps inserted, the operands of those after them being moved on. */
function inserted(plan: Plan, dice: Dice): unknown {
  const at = 1 + dice.below(plan.steps.length);
  const move = (k: number) => k >= at ? k + 1 : k;
  const moved = plan.steps.map(([name, operands, ...rest]): AnyStep => [name, operands.map(move), ...rest]);
  const steps = moved.toSpliced(at, 0, newStep(at - 1, dice));
  // now and then it is used: by one that comes later
  const user = at + 1 + dice.below(Math.max(1, steps.length - at - 1));
  if (user < steps.length && dice.below(2) === 0) {
    const [name, operands, ...rest] = steps[user];
    const used = operands as number[];
    if (used.length > 0) steps[user] = [name, used.with(dice.below(used.length), at), ...rest];
  }
  return { ...plan, steps, outputs: plan.outputs.map(move) };
}

/** Little-endian bytes of numbers that a table must not hold, too few of them, or too large ones. */
const tables: readonly (readonly unknown[])[] = [
  [1, btoa("\0\0\xc0\x7f".repeat(3))],
  [1, btoa("\0\0\x80\x7f".repeat(3))],
  [6.25, btoa("\xff\xff\x7f\x7f".repeat(4))],
  [1e-300, btoa("\0\0\x80\x3f".repeat(4))],
  [1e300, btoa("\0\0\x80\x3f".repeat(4))],
  [1, ""],
  [1, "AAAA"],
  [1, "not base64"],
  [6.25, btoa("\0\0\x80\xbf".repeat(5000))],
];

/**
 * Changes a plan in one place.
 *
 * @param plan a sound one, or one that was changed before
 * @param dice what decides
 */
export function otherPlan(plan: Plan, dice: Dice): unknown {
  const { steps, parameters, outputs } = plan;
  const k = dice.below(steps.length);
  switch (dice.below(12)) {
    case 0:
      return {
        ...plan,
        parameters: parameters.with(dice.below(parameters.length), dice.pick([...parameters, "/1", "x"])),
      };
    case 1:
      return { ...plan, tables: dice.below(2) === 0 ? [dice.pick(tables)] : otherList(plan.tables, dice) };
    case 2:
      return {
        ...plan,
        outputs: dice.below(2) === 0 ? [dice.below(steps.length), outputs[1]] : otherList(outputs, dice),
      };
    case 3:
      return otherJson(plan, dice);
    case 4:
      return swollen(plan, dice);
    case 5:
    case 6:
      return inserted(plan, dice);
    case 7:
      return { ...plan, steps: otherList(steps, dice) };
    default:
      return { ...plan, steps: (steps as readonly AnyStep[]).with(k, otherStep(steps[k], k, dice)) };
  }
}

/** Whether a plan can be changed once more: its lists are lists still. */
export function isPlan(plan: unknown): plan is Plan {
  const { steps, parameters, tables, outputs } = (plan ?? {}) as Partial<Plan>;
  const isStep = (step: PlanStep) => Array.isArray(step) && Array.isArray(step[1]);
  return [steps, parameters, tables, outputs].every((list) => Array.isArray(list)) && steps!.length > 0 &&
    parameters!.length > 0 && steps!.every(isStep);
}
