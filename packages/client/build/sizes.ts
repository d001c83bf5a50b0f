import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

/** What others have, and what a page imports of it. */
const LIBRARIES = [
  { name: "@topicast/client", contents: 'export { connect } from "./src/index.ts"' },
  { name: "partysocket", contents: 'export { default } from "partysocket"' },
  { name: "socket.io-client", contents: 'export { io } from "socket.io-client"' },
  { name: "pusher-js", contents: 'export { default } from "pusher-js"' },
  { name: "centrifuge", contents: 'export { Centrifuge } from "centrifuge"' },
  { name: "ably", contents: 'export { Realtime } from "ably"' },
] as const;

export type Library = (typeof LIBRARIES)[number]["name"];

export interface Size {
  readonly name: Library;
  /** As this repository has it installed; of what is measured from its source there is none. */
  readonly version: string | undefined;
  /** Minified by esbuild, then gzipped at level 9. */
  readonly bytes: number;
}

/** What each library adds to a page that imports the one thing that it needs to connect. */
export function measureSizes(): Promise<Size[]> {
  return Promise.all(
    LIBRARIES.map(async ({ name, contents }) => {
      const { outputFiles, metafile } = await build({
        stdin: { contents, resolveDir: PACKAGE },
        absWorkingDir: PACKAGE,
        bundle: true,
        minify: true,
        format: "esm",
        platform: "browser",
        target: "es2020",
        metafile: true,
        write: false,
        logLevel: "error",
      });
      const bytes = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
      return { name, version: await versionOf(name, Object.keys(metafile.inputs)), bytes };
    }),
  );
}

async function versionOf(name: Library, inputs: readonly string[]): Promise<string | undefined> {
  const folder = `node_modules/${name}/`;
  const input = inputs.find((path) => path.includes(folder));
  if (input === undefined) return undefined;
  const manifest = `${PACKAGE}/${input.slice(0, input.lastIndexOf(folder))}${folder}package.json`;
  return JSON.parse(await readFile(manifest, "utf8")).version;
}
