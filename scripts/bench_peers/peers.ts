/**
 * The peers: where they are found, how they are started, and what to do where one is missing.
 *
 * @module
 */
import type { PeerCommand } from "./peer_process.ts";
import { FLOW_TASKS, type FlowTask } from "./workload.ts";

/** Somebody to be compared with. */
export type PeerName = "torch" | "gcc" | "tfjs" | "jax" | "onnx";

/** A command that computes a task on so many threads. */
export interface Contender extends PeerCommand {
  /** Whose it is. */
  readonly peer: "ours" | PeerName;
  /** Threads it was asked to use. */
  readonly threads: number;
}

/** A peer that computes tasks of the RealNVP. */
export interface FlowPeer {
  /** Who. */
  readonly peer: PeerName;
  /** Its contenders on one or more threads; none where it cannot do the task. */
  contenders(folder: string, task: FlowTask, threads: readonly number[]): Contender[];
}

/** What was looked for. */
export interface Search {
  /** Those that are there. */
  readonly found: readonly FlowPeer[];
  /** For each missing one, a sentence that says how to get it. */
  readonly missing: readonly string[];
}

/** Debian's interpreter: the one that Debian's python3-torch belongs to. */
const PYTHON = "/usr/bin/python3";
const HERE = new URL(".", import.meta.url).pathname;

/** Runs a program for its output; null if there is none, or it fails. */
export async function outputOf(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args: [...args], stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}

/** A program of this folder that Deno runs. */
export function denoProgram(script: string, args: readonly (string | number)[]): Pick<PeerCommand, "program" | "args"> {
  const parts = ["run", "-A", "--quiet", "--no-lock", `${HERE}${script}`, ...args.map(String)];
  return { program: Deno.execPath(), args: parts };
}

/** Ours. */
export function ourFlow(folder: string, task: FlowTask, threads: readonly number[]): Contender[] {
  return threads.map((count) => ({
    peer: "ours",
    name: "boltzflow",
    threads: count,
    ...denoProgram("ours_flow.ts", [folder, task, count]),
  }));
}

/** Where Debian keeps the OpenBLAS that shares PyTorch's OpenMP threads instead of bringing its own. */
function openmpFolder(): string {
  return `/usr/lib/${Deno.build.arch}-linux-gnu/openblas-openmp`;
}

/** Settings of PyTorch: as it comes, and as somebody who measures would set it. */
function torchSettings(threads: number, hasOpenmp: boolean): { name: string; env: Record<string, string> }[] {
  const count = String(threads);
  const stock = { name: "PyTorch, stock", env: { OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count } };
  // One thread has nothing to tune: neither pool of threads starts.
  if (threads === 1 || !hasOpenmp) return [stock];
  const tuned = { LD_LIBRARY_PATH: openmpFolder(), OMP_WAIT_POLICY: "passive", OMP_NUM_THREADS: count };
  return [
    stock,
    { name: "PyTorch, tuned", env: tuned },
    // Threads that sleep between loops wake where they were woken: unpinned, both were seen to share one core.
    { name: "PyTorch, tuned, pinned", env: { ...tuned, OMP_PROC_BIND: "spread", OMP_PLACES: "cores" } },
    { name: "PyTorch, tuned, products on one thread", env: { ...tuned, OPENBLAS_NUM_THREADS: "1" } },
  ];
}

async function findTorch(missing: string[]): Promise<FlowPeer | null> {
  if (await outputOf(PYTHON, ["-c", "import torch, numpy"]) === null) {
    missing.push(
      `PyTorch: ${PYTHON} cannot import torch and numpy (Debian: apt-get install python3-torch python3-numpy)`,
    );
    return null;
  }
  const hasOpenmp = await Deno.stat(`${openmpFolder()}/libblas.so.3`).then(() => true, () => false);
  if (!hasOpenmp) {
    missing.push(
      "PyTorch, tuned for several threads: no OpenBLAS with OpenMP (Debian: apt-get install libopenblas0-openmp)",
    );
  }
  const script = `${HERE}torch_flow.py`;
  return {
    peer: "torch",
    contenders: (folder, task, threads) =>
      threads.flatMap((count) =>
        torchSettings(count, hasOpenmp).map(({ name, env }) => ({
          peer: "torch",
          name,
          threads: count,
          program: PYTHON,
          args: [script, folder, task, String(count)],
          env,
        }))
      ),
  };
}

/** A peer from npm. */
interface NpmPeer {
  readonly name: string;
  /** Exact packages, downloaded now if they are not there. */
  readonly packages: readonly string[];
  readonly script: string;
  /** What the script is told in place of a task. */
  readonly variant?: string;
  readonly tasks: readonly FlowTask[];
  /** Numbers of threads that it can be told to use. */
  readonly threads: readonly number[];
}

const NPM_PEERS: Readonly<Partial<Record<PeerName, readonly NpmPeer[]>>> = {
  tfjs: [{
    name: "TensorFlow.js wasm",
    packages: ["@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"],
    script: "tfjs_flow.ts",
    tasks: FLOW_TASKS,
    threads: [1],
  }],
  jax: [{
    name: "jax-js wasm",
    packages: ["@jax-js/jax@0.1.25"],
    script: "jax_flow.ts",
    tasks: FLOW_TASKS,
    threads: [1],
  }],
  onnx: [
    {
      name: "ONNX Runtime, native",
      packages: ["onnxruntime-node@1.30.0"],
      script: "onnx_flow.ts",
      variant: "node",
      tasks: ["sampling"],
      threads: [1, 2],
    },
    {
      name: "ONNX Runtime, wasm",
      packages: ["onnxruntime-web@1.30.0/wasm"],
      script: "onnx_flow.ts",
      variant: "web",
      tasks: ["sampling"],
      threads: [1],
    },
  ],
};

async function findNpmPeer(peer: PeerName, npm: NpmPeer, missing: string[]): Promise<FlowPeer | null> {
  const { name, packages, script, tasks } = npm;
  const program = packages.map((specifier) => `await import("npm:${specifier}");`).join(" ");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-lock", `${program} Deno.exit(0)`],
    stdout: "null",
  }).output();
  if (!success) {
    const reason = new TextDecoder().decode(stderr).trim().split("\n")[0];
    missing.push(`${name}: ${packages.join(", ")} must come from npm, which needs a network once (${reason})`);
    return null;
  }
  return {
    peer,
    contenders: (folder, task, threads) =>
      threads.filter((count) => tasks.includes(task) && npm.threads.includes(count)).map((count) => ({
        peer,
        name,
        threads: count,
        ...denoProgram(script, [folder, npm.variant ?? task, count]),
      })),
  };
}

/**
 * Looks for peers that compute the RealNVP.
 *
 * @param wanted names
 * @returns those that are there, and what to do about the others
 */
export async function findFlowPeers(wanted: ReadonlySet<PeerName>): Promise<Search> {
  const found: FlowPeer[] = [];
  const missing: string[] = [];
  for (const name of wanted) {
    const searches = (NPM_PEERS[name] ?? []).map((npm) => () => findNpmPeer(name, npm, missing));
    if (name === "torch") searches.push(() => findTorch(missing));
    for (const search of searches) {
      const peer = await search();
      if (peer !== null) found.push(peer);
    }
  }
  return { found, missing };
}
