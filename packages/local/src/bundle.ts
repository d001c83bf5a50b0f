import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type BuildFailure, build, type OutputFile, type Plugin } from "esbuild";
import type { ServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";

/** A function as it is deployed: one CommonJS file with everything in it. */
export interface Bundle {
  /** Names the bundle in stack traces; there is no such file. */
  readonly file: string;
  readonly code: string;
  /** As JSON. */
  readonly sourceMap: string;
}

type Bundles = ReadonlyMap<string, Bundle>;

interface Built {
  readonly bundles: Bundles;
  /** When each of its sources was changed last, in Unix ms. */
  readonly sources: ReadonlyMap<string, number>;
}

/** What was built in this process: a test starts many hosts of one service, and building is most of what a start takes. */
const built = new Map<string, Promise<Built>>();

/**
 * Bundles each function of a service, as esbuild's plugins ask, unless it did so before and no source has changed since. Throws a {@link StartError} with
 * file and line where one doesn't build.
 */
export async function bundleFunctions(service: ServiceDefinition, plugins: Plugin[] = []): Promise<Bundles> {
  if (service.functions.length === 0) return new Map();
  const entries = service.functions.map(({ name, handlerFile }) => [name, handlerFile]);
  const key = JSON.stringify([service.folder, entries, plugins.map(({ name }) => name)]);
  const before = await built.get(key);
  if (before !== undefined && (await isUnchanged(before))) return before.bundles;
  const building = buildFunctions(service, plugins);
  built.set(key, building);
  // Whoever asks is told by the promise; the next one builds anew.
  building.catch(() => built.delete(key));
  return (await building).bundles;
}

async function isUnchanged({ sources }: Built): Promise<boolean> {
  const changed = await Promise.all([...sources].map(async ([file, at]) => (await changedAt(file)) !== at));
  return !changed.includes(true);
}

/** Unix ms; undefined where the file is gone. */
async function changedAt(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mtimeMs;
  } catch {
    // It was there: that it is no more is a change too.
    return undefined;
  }
}

async function buildFunctions(service: ServiceDefinition, plugins: Plugin[]): Promise<Built> {
  // Dots in the output's names, so that they can't be those of files in the folder.
  const folder = join(service.folder, "..bundles");
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: service.folder,
      entryPoints: service.functions.map(({ name, handlerFile }) => ({
        in: join(service.folder, handlerFile),
        out: name,
      })),
      outdir: folder,
      write: false,
      metafile: true,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
      // As the deployed bundles: the ES modules of a package, where it has both, so that what isn't used is left out.
      mainFields: ["module", "main"],
      // A bundle is evaluated as one function, where `import()` would have no loader.
      supported: { "dynamic-import": false },
      sourcemap: "external",
      // Stack traces need lines and names only.
      sourcesContent: false,
      logLevel: "silent",
      plugins,
    });
    const bundles = service.functions.map(
      ({ name }) => [name, pickBundle(outputFiles, join(folder, `${name}.js`))] as const,
    );
    return { bundles: new Map(bundles), sources: await readSources(service.folder, Object.keys(metafile.inputs)) };
  } catch (cause) {
    throw new StartError(`${service.name}: ${describeFailure(cause as BuildFailure)}`, { cause });
  }
}

/** Those that are files: a plugin's have its namespace in front. */
async function readSources(folder: string, inputs: readonly string[]): Promise<Map<string, number>> {
  const files = await Promise.all(
    inputs.map(async (input) => {
      const file = join(folder, input);
      return [file, await changedAt(file)] as const;
    }),
  );
  return new Map(files.flatMap(([file, at]) => (at === undefined ? [] : [[file, at] as const])));
}

function pickBundle(files: readonly OutputFile[], file: string): Bundle {
  const textOf = (path: string) => files.find((candidate) => candidate.path === path)?.text ?? "";
  return { file, code: textOf(file), sourceMap: textOf(`${file}.map`) };
}

function describeFailure(failure: BuildFailure): string {
  const [error] = failure.errors ?? [];
  if (error === undefined) return failure.message;
  const { location, text } = error;
  return location == null ? text : `${location.file}:${location.line}: ${text}`;
}
