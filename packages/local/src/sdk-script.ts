import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const CLIENT = fileURLToPath(new URL("../../client", import.meta.url));

let script: Promise<string> | undefined;

/** The SDK for a page's script tag, which makes it the global `topicast`; bundled from its source when somebody asks for it first. */
export function sdkScript(): Promise<string> {
  script ??= bundle().catch((error: unknown) => {
    // Whoever works on its source may have mended it by the next request.
    script = undefined;
    throw error;
  });
  return script;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: CLIENT,
    entryPoints: ["src/index.ts"],
    bundle: true,
    minify: true,
    format: "iife",
    globalName: "topicast",
    target: "es2020",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}
