import { assert, assertRejects } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { packDimerData, unpackDimerData } from "../../src/experiment/dimer_checkpoint.ts";
import type { SampledDimerData } from "../../src/experiment/dimer_data.ts";
import { RealNVP } from "../../src/flow/real_nvp.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import type { JsonObject, JsonValue } from "../../src/format/json.ts";
import { type CheckpointContent, packPosition, unpackPosition } from "../../src/training/position_checkpoint.ts";
import type { StoredTensor } from "../../src/training/safetensors.ts";
import { trials } from "../support/incidents.ts";
import { fewDimerFrames } from "../support/tiny_runs.ts";
import { Dice } from "./mutate.ts";
import { assertReaderHolds } from "./reader_law.ts";

await loadKernels();

const system = new ParticleDimer();
const data = await fewDimerFrames();

const strange: readonly JsonValue[] = [null, true, -1, 0.5, 0, 3, 1e300, 2 ** 53, "", "7", [], {}, [[]], { length: 3 }];

/** A value somewhere in a state replaced, or its key removed. */
function otherValue(value: JsonValue, dice: Dice): JsonValue {
  if (typeof value !== "object" || value === null || dice.below(4) === 0) return dice.pick(strange);
  const keys = Object.keys(value);
  if (keys.length === 0) return dice.pick(strange);
  const key = dice.pick(keys);
  if (Array.isArray(value)) return value.with(Number(key), otherValue(value[Number(key)], dice));
  const { [key]: inner, ...rest } = value as JsonObject;
  return dice.below(4) === 0 ? rest : { ...rest, [key]: otherValue(inner, dice) };
}

/** An array left out, shortened, or of another element type. */
function otherTensors(tensors: ReadonlyMap<string, StoredTensor>, dice: Dice): Map<string, StoredTensor> {
  const changed = new Map(tensors);
  const name = dice.pick([...tensors.keys()]);
  const array = tensors.get(name)!.data;
  changed.delete(name);
  const data = dice.pick([array.slice(1), new Uint8Array(array.length), new BigInt64Array(1), new Float32Array(0)]);
  if (dice.below(4) > 0) changed.set(name, { shape: [data.length], data });
  return changed;
}

/** A checkpoint whose sum is right and whose content is not. */
function other({ state, tensors }: CheckpointContent, trial: number): CheckpointContent {
  const dice = new Dice(trial);
  if (dice.below(3) === 0) return { state, tensors: otherTensors(tensors, dice) };
  const changed = otherValue(state, dice);
  const isTable = typeof changed === "object" && changed !== null && !Array.isArray(changed);
  return { state: isTable ? changed as JsonObject : {}, tensors };
}

const task =
  /^Cannot (resume from data\.safetensors|resume Metropolis chains|\w+ Metropolis chains|restore parameters|restore the optimiser)$/;

Deno.test("data of a checkpoint with a right sum and a wrong content are sound or refused in a sentence of ours", async () => {
  const good = packDimerData(data);
  const { refused } = await assertReaderHolds({
    incident: "hostile data checkpoint",
    trials: trials(800, 10_000),
    make: (trial) => other(good, trial),
    read: (content) => unpackDimerData(system, content, "data.safetensors"),
    faultOf(result) {
      const { train, chains } = result as SampledDimerData;
      return train.x.length === train.d.length * system.dim && chains.positions().length === 2 * system.dim
        ? undefined
        : "has arrays that do not fit";
    },
    task,
  });
  assert(refused > 0);
});

Deno.test("positions of a checkpoint with a right sum and a wrong content are sound or refused in a sentence of ours", async () => {
  const parameters = new RealNVP({ dim: 2, blocks: 1, hidden: [3] }).parameters();
  const values = () => new Map(parameters.map(({ name, length }) => [name, new Float32Array(length)]));
  const good = packPosition(
    parameters,
    {
      stage: 0,
      step: 3,
      optimiser: { steps: 3, tensors: values() },
      history: [{ stage: "a", step: 1, losses: { total: 1 }, validation: null }],
      running: { count: 2, sums: [1, 2] },
      bestValidation: 1,
      best: values(),
    } as unknown as Parameters<typeof packPosition>[1],
  );
  await assertReaderHolds({
    incident: "hostile training checkpoint",
    trials: trials(800, 10_000),
    make: (trial) => other(good, trial),
    read: (content) => unpackPosition(parameters, content, "data.safetensors"),
    faultOf(result) {
      const { stage, step, history } = result as ReturnType<typeof unpackPosition>;
      const isSound = Number.isInteger(stage) && Number.isInteger(step) && Array.isArray(history);
      return isSound ? undefined : "is no position";
    },
    task,
  });
});

Deno.test("assertReaderHolds() rejects a reader that trusts the types of a state", async () => {
  const good = packDimerData(data);
  const trusting = ({ state, tensors }: CheckpointContent) => {
    const { chains } = state.chains as { chains: number };
    return [chains.toFixed(), tensors.get("train/x")!.data.length];
  };
  await assertRejects(
    () => assertReaderHolds({ incident: "", trials: 100, make: (trial) => other(good, trial), read: trusting, task }),
    Error,
    "begins otherwise: TypeError",
  );
});
