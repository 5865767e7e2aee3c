/** The public surface: what is in it, that every word of it is explained, and what it costs to import. */
import { assert, assertEquals } from "@std/assert";
import * as boltzflow from "../mod.ts";
import * as experiment from "../src/experiment/mod.ts";
import * as flow from "../src/flow/mod.ts";
import * as loss from "../src/loss/mod.ts";
import * as onnx from "../src/onnx/mod.ts";
import * as sampler from "../src/sampler/mod.ts";
import * as plot from "../src/plot/mod.ts";
import * as reweighting from "../src/reweighting/mod.ts";
import * as sampling from "../src/sampling/mod.ts";
import * as system from "../src/system/mod.ts";
import * as training from "../src/training/mod.ts";
import { readModuleGraph } from "../scripts/module_graph.ts";
import { inTemporaryDirectory } from "./support/file_faults.ts";

const root = new URL("..", import.meta.url).pathname;

/** What a user of the package is promised, by stage of the pipeline. */
const promised = {
  system: [
    "ParticleDimer",
    "LennardJonesFluid",
    "DoubleWell",
    "MuellerBrown",
    "HarmonicOscillatorBox",
    "ManyWell",
    "DoubleWellCluster",
    "LennardJonesCluster",
    "systemFromEnergy",
    "dimerSymmetries",
    "symmetryGroup",
    "requireSymmetries",
    "fluidSymmetries",
  ],
  sampling: [
    "metropolis",
    "MetropolisChains",
    "metropolisSample",
    "settledStarts",
    "umbrellaSample",
    "couplingSample",
    "statisticalInefficiency",
  ],
  autodiff: ["valueAndGradient", "checkGradient", "Graph", "Parameter", "KernelRun", "external", "add", "tanh", "mean"],
  flow: [
    "RealNVP",
    "NICE",
    "Scaling",
    "Whitening",
    "Interval",
    "HarmonicBoxMap",
    "Chain",
    "Inverse",
    "couplingChain",
    "NormalPrior",
    "Flow",
    "flowAtTemperature",
    "Mlp",
    "SymmetrisedGenerator",
    "MixtureGenerator",
    "auditFlow",
  ],
  loss: [
    "maximumLikelihoodLoss",
    "energyLoss",
    "linLogCut",
    "reactionCoordinateLoss",
    "boltzmannObjective",
    "weightedMaximumLikelihoodLoss",
    "importanceWeightedLikelihoodLoss",
    "logWeightSpreadLoss",
    "forceMatchingLoss",
    "refinementObjective",
    "latentMetropolis",
    "explore",
  ],
  training: ["train", "Adam", "learningRateAt", "FrameBuffer", "saveCheckpoint", "loadCheckpoint", "takeSnapshot"],
  reweighting: [
    "kishEffectiveSampleSize",
    "samplingEfficiency",
    "paretoK",
    "paretoKLimit",
    "cappedLogWeights",
    "forwardDiagnostics",
    "bootstrap",
    "exponentialAveraging",
    "logPartitionFunction",
    "freeEnergyDifferenceByReweighting",
    "bennettAcceptanceRatio",
    "basinFreeEnergies",
    "basinThermodynamics",
    "freeEnergyProfile",
    "combinedProfile",
    "mbar",
    "umbrellaFreeEnergies",
    "thermodynamicIntegration",
  ],
  onnx: ["exportFlow", "exportOnnx"],
  sampler: ["loadSampler", "loadDensity", "encodeNpz", "encodeXyz"],
  plot: ["linePlot", "histogramPlot", "scatterPlot", "contourPlot", "configurationPlot", "figureGrid", "htmlReport"],
  hybrid: ["BoltzmannGenerator", "latentPath"],
  experiment: [
    "runDimer",
    "runDimerTemperatures",
    "thermodynamicCurve",
    "runFluid",
    "particleFreeEnergy",
    "absoluteFreeEnergy",
    "sampleModel",
  ],
  machine: ["ThreadPool", "loadKernels", "RandomStream"],
};

/** What `deno doc --json` tells, as far as it is read here. */
interface Tag {
  readonly kind: string;
  readonly name?: string;
}
interface Doc {
  readonly doc?: string;
  readonly tags?: readonly Tag[];
}
interface Parameter {
  readonly kind: string;
  readonly name?: string;
  readonly left?: Parameter;
}
interface Callable {
  readonly params: readonly Parameter[];
  readonly returnType?: {
    readonly repr: string;
    readonly value?: { readonly typeParams?: readonly { repr: string }[] };
  };
}
interface Method {
  readonly name: string;
  readonly kind: string;
  readonly accessibility?: string;
  readonly jsDoc?: Doc;
}
interface Declaration {
  readonly kind: string;
  readonly jsDoc?: Doc;
  readonly def: Partial<Callable> & {
    readonly constructors?: readonly (Callable & Method)[];
    readonly methods?: readonly (Partial<Callable> & Method & { readonly functionDef?: Callable })[];
    readonly implements?: readonly unknown[];
  };
}
interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

async function readSymbols(path: string): Promise<readonly DocumentedSymbol[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["doc", "--json", path] })
    .output();
  const text = new TextDecoder();
  assert(success, text.decode(stderr));
  const { nodes }: { nodes: Record<string, { symbols: DocumentedSymbol[] }> } = JSON.parse(text.decode(stdout));
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
}

/** What the documentation of a function lacks: a sentence, a parameter, what comes back. */
function faultsOf(name: string, { params, returnType }: Callable, doc: Doc | undefined): string[] {
  const { doc: sentence, tags = [] } = doc ?? {};
  if (sentence === undefined) return [`${name} is not documented`];
  const documented = tags.filter(({ kind }) => kind === "param").map((tag) => tag.name);
  const names = params.map((parameter) => parameter.name ?? parameter.left?.name);
  const known = names.filter((parameter) => parameter !== undefined);
  const faults = [
    ...known.filter((parameter) => !documented.includes(parameter)).map((parameter) => `does not explain ${parameter}`),
    ...(known.length < names.length ? [] : documented.filter((tag) => !known.includes(tag!)))
      .map((tag) => `explains ${tag}, which is no parameter`),
  ];
  const result = returnType?.repr === "Promise" ? returnType.value?.typeParams?.[0]?.repr : returnType?.repr;
  const returns = tags.some(({ kind }) => kind === "return");
  if (names.length > 0 && returnType !== undefined && result !== "void" && !returns) {
    faults.push("does not say what it returns");
  }
  return faults.map((fault) => `${name} ${fault}`);
}

function documentationFaults(symbols: readonly DocumentedSymbol[]): string[] {
  return symbols.flatMap(({ name, declarations }) =>
    declarations.flatMap(({ kind, jsDoc, def }) => {
      const own = kind === "function" ? faultsOf(name, def as Callable, jsDoc) : faultsOf(name, { params: [] }, jsDoc);
      const constructors = (def.constructors ?? []).filter(({ accessibility }) => accessibility !== "private");
      const methods = (def.methods ?? []).filter(({ accessibility, kind, jsDoc }) =>
        // What implements an interface may leave the explanation to it.
        accessibility !== "private" && kind !== "setter" && !(jsDoc === undefined && (def.implements ?? []).length > 0)
      );
      return [
        ...own,
        ...constructors.flatMap((made) => faultsOf(`new ${name}`, { params: made.params }, made.jsDoc)),
        ...methods.flatMap((method) =>
          faultsOf(`${name}.${method.name}`, method.functionDef ?? method as unknown as Callable, method.jsDoc)
        ),
      ];
    })
  );
}

Deno.test("the entries export what is promised", () => {
  for (const [stage, names] of Object.entries(promised)) {
    const entry = stage === "experiment" ? experiment : boltzflow;
    for (const name of names) assertEquals(typeof Object(entry)[name], "function", `${stage}: ${name}`);
  }
});

Deno.test("mod.ts exports everything that the entries of stages export", () => {
  const entries = { flow, loss, onnx, sampler, plot, reweighting, sampling, system, training };
  for (const [entry, module] of Object.entries(entries)) {
    for (const [name, value] of Object.entries(module)) {
      // A name that two folders export is left out of `export *` without a word.
      assert(Object(boltzflow)[name] === value, `${name} of ${entry}`);
    }
  }
});

Deno.test("the entries explain every name, every parameter and every result", async () => {
  for (const [path, entry] of [["mod.ts", boltzflow], ["src/experiment/mod.ts", experiment]] as const) {
    const symbols = await readSymbols(`${root}${path}`);

    assertEquals(documentationFaults(symbols), []);
    const names = symbols.map(({ name }) => name);
    assertEquals(names.length, new Set(names).size);
    assert(Object.keys(entry).every((name) => names.includes(name)), path);
  }
});

Deno.test("what mod.ts is checked for is found where it is wrong", async () => {
  const source = `
    export function silent(): void {}
    /** Takes a number. */
    export function half(x: number): number { return x / 2; }
    /**
     * Waits.
     *
     * @param seconds how long
     */
    export async function wait(ms: number): Promise<void> { await ms; }
    /** Holds something. */
    export class Box { open(key: string): void { key; } }
    /** Promises something. */
    export interface Lock {
      /** Opens. */
      open(key: string): boolean;
    }
  `;
  const faults = await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/wrong.ts`, source);
    return documentationFaults(await readSymbols(`${directory}/wrong.ts`));
  });

  assertEquals(faults, [
    "silent is not documented",
    "half does not explain x",
    "half does not say what it returns",
    "wait does not explain ms",
    "wait explains seconds, which is no parameter",
    "Box.open is not documented",
    "Lock.open does not explain key",
    "Lock.open does not say what it returns",
  ]);
});

Deno.test("mod.ts brings small packages only; those of plots and models come on first use", async () => {
  const graph = await readModuleGraph(root, ["mod.ts", "src"]);
  const packages = new Set<string>();
  for (const imports of graph.values()) {
    for (const { specifier, isTypeOnly } of imports) {
      if (!isTypeOnly && specifier.startsWith("npm:")) packages.add(specifier.replace(/@\d.*/, ""));
    }
  }

  // Deno downloads whatever the module graph names, dynamic imports with a literal specifier included.
  assertEquals([...packages].sort(), ["npm:cli-progress", "npm:fflate"]);
  for (
    const [file, specifier] of [["src/plot/d3.ts", "npm:d3-node"], ["src/sampler/load.ts", "npm:onnxruntime-web"]]
  ) {
    const source = await Deno.readTextFile(root + file);
    assert(new RegExp(`import\\("${specifier}@\\d+\\.\\d+\\.\\d+(/\\w+)?" as string\\)`).test(source), file);
  }
});
