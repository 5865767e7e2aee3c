/**
 * The module graph of the repository, as `deno info` sees it.
 *
 * @module
 */

/** One import of one file. */
export interface Import {
  /** The text of the import statement. */
  readonly specifier: string;
  /** The file it means, relative to the root with "/" between parts; undefined for packages. */
  readonly target?: string;
  /** Why it does not resolve, if so. */
  readonly error?: string;
  /** Whether only types are imported, so that nothing is loaded. */
  readonly isTypeOnly: boolean;
  /** Whether it is loaded only when the program gets there. */
  readonly isDynamic: boolean;
}

/** Imports by file, relative to the root; files in sorted order. */
export type ModuleGraph = ReadonlyMap<string, readonly Import[]>;

interface Resolution {
  readonly specifier?: string;
  readonly error?: string;
}

interface InfoDependency {
  readonly specifier: string;
  readonly code?: Resolution;
  readonly type?: Resolution;
  readonly isDynamic?: boolean;
}

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly InfoDependency[];
  }[];
}

/**
 * Reads the imports of every TypeScript file under the given folders and of everything in the root that they reach.
 *
 * @param root absolute path of the repository
 * @param places folders and files to start from, relative to the root; those that do not exist are left out
 * @returns imports by file
 * @throws {Error} if `deno info` fails
 */
export async function readModuleGraph(root: string, places: readonly string[]): Promise<ModuleGraph> {
  const base = new URL(`file://${await Deno.realPath(root)}/`);
  const roots = (await Promise.all(places.map((place) => listFiles(base, place)))).flat().sort();
  const info = await runDenoInfo(base, roots);
  const failed = new Map(info.modules.map(({ specifier, error }) => [specifier, error]));
  const relative = (url = "") => url.startsWith(base.href) ? decodeURI(url.slice(base.href.length)) : undefined;
  const graph = new Map<string, readonly Import[]>();
  for (const module of info.modules) {
    const file = relative(module.specifier);
    if (file === undefined || module.error !== undefined) continue;
    const imports = (module.dependencies ?? []).map(({ specifier, code, type, isDynamic = false }): Import => {
      const resolution = code ?? type ?? {};
      const target = relative(resolution.specifier);
      const error = resolution.error ?? failed.get(resolution.specifier ?? "");
      return {
        specifier,
        isTypeOnly: code === undefined,
        isDynamic,
        ...(target === undefined ? {} : { target }),
        ...(error === undefined ? {} : { error }),
      };
    });
    graph.set(file, imports);
  }
  return new Map([...graph].sort(([a], [b]) => a < b ? -1 : 1));
}

async function listFiles(base: URL, place: string): Promise<string[]> {
  const isSource = (name: string) => name.endsWith(".ts") && !name.endsWith(".d.ts");
  const url = new URL(place, base);
  const info = await Deno.stat(url).catch(() => undefined);
  if (info === undefined) return [];
  if (info.isFile) return isSource(place) ? [url.href] : [];
  const entries = await Array.fromAsync(Deno.readDir(url), ({ name }) => listFiles(base, `${place}/${name}`));
  return entries.flat();
}

/** `deno info` takes one file, so it is given one that imports them all. */
async function runDenoInfo(base: URL, roots: readonly string[]): Promise<Info> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(entry, roots.map((href) => `import ${JSON.stringify(href)};\n`).join(""));
    const config = await Deno.stat(new URL("deno.json", base)).then(() => true, () => false);
    const configuration = config ? ["--config", new URL("deno.json", base).pathname] : ["--no-config"];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-lock", ...configuration, entry],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder();
    if (!success) throw new Error(`Cannot read the module graph: deno info must succeed, got ${text.decode(stderr)}`);
    return JSON.parse(text.decode(stdout));
  } finally {
    await Deno.remove(entry);
  }
}
