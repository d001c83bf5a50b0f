import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { deployedOptions } from "../deployed-bundle.ts";

export type Code = typeof import("./code.ts");

/**
 * What is measured, bundled as services are deployed. The loader that runs this command compiles each file alone, and has functions within others named anew each
 * time that one is made, which takes up to a fifth of a cycle.
 */
export async function bundleCode(): Promise<Code> {
  const folder = await mkdtemp(join(tmpdir(), "churn-"));
  try {
    const file = join(folder, "code.cjs");
    await build({
      ...(await deployedOptions()),
      entryPoints: [fileURLToPath(new URL("./code.ts", import.meta.url))],
      outfile: file,
      target: "node20",
      logLevel: "error",
    });
    return createRequire(file)(file) as Code;
  } finally {
    await rm(folder, { recursive: true });
  }
}
