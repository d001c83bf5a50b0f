import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { emitDeclarations } from "./declarations.ts";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
/** What `import` and `require` find, by the name behind the package's. */
const ENTRIES = { ".": "index", "./react": "react" };

const SHARED: BuildOptions = {
  absWorkingDir: PACKAGE,
  bundle: true,
  external: ["react"],
  target: "es2020",
  legalComments: "none",
  logLevel: "warning",
};

/** Makes the folder that is published: ES modules, CommonJS, the script for a page's tag, and the types of all. */
export async function buildPackage(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const entryPoints = Object.values(ENTRIES).map((name) => `src/${name}.ts`);
  await Promise.all([
    build({ ...SHARED, entryPoints, outdir: out, format: "esm" }),
    build({ ...SHARED, entryPoints, outdir: out, format: "cjs", outExtension: { ".js": ".cjs" } }),
    build({
      ...SHARED,
      entryPoints: ["src/index.ts"],
      outfile: join(out, "topicast.js"),
      format: "iife",
      globalName: "topicast",
      minify: true,
    }),
    emitDeclarations(
      entryPoints.map((entry) => join(PACKAGE, entry)),
      out,
    ),
    copyFile(join(PACKAGE, "../../LICENSE"), join(out, "LICENSE")),
    copyFile(join(PACKAGE, "README.md"), join(out, "README.md")),
    writeManifest(out),
  ]);
}

async function writeManifest(out: string): Promise<void> {
  const own = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  const { name, version, description, license, type, sideEffects, engines, peerDependencies, peerDependenciesMeta } =
    own;
  const exports = Object.entries(ENTRIES).map(([path, file]) => [
    path,
    {
      import: { types: `./${file}.d.ts`, default: `./${file}.js` },
      require: { types: `./${file}.d.cts`, default: `./${file}.cjs` },
    },
  ]);
  const manifest = {
    ...{ name, version, description, license, type, sideEffects, engines },
    main: "./index.cjs",
    types: "./index.d.cts",
    exports: Object.fromEntries(exports),
    unpkg: "./topicast.js",
    jsdelivr: "./topicast.js",
    peerDependencies,
    peerDependenciesMeta,
  };
  await writeFile(join(out, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
