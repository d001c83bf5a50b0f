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

/** Bundles each function of a service, as esbuild's plugins ask; throws a {@link StartError} with file and line where one doesn't build. */
export async function bundleFunctions(
  service: ServiceDefinition,
  plugins: Plugin[] = [],
): Promise<ReadonlyMap<string, Bundle>> {
  if (service.functions.length === 0) return new Map();
  // Dots in the output's names, so that they can't be those of files in the folder.
  const folder = join(service.folder, "..bundles");
  try {
    const { outputFiles } = await build({
      absWorkingDir: service.folder,
      entryPoints: service.functions.map(({ name, handlerFile }) => ({
        in: join(service.folder, handlerFile),
        out: name,
      })),
      outdir: folder,
      write: false,
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
    return new Map(service.functions.map(({ name }) => [name, pickBundle(outputFiles, join(folder, `${name}.js`))]));
  } catch (cause) {
    throw new StartError(`${service.name}: ${describeFailure(cause as BuildFailure)}`, { cause });
  }
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
