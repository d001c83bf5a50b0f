import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BuildOptions } from "esbuild";
import { parse } from "yaml";

const FILE = fileURLToPath(new URL("../../deploy/esbuild.yml", import.meta.url));

/** esbuild's own among the options that packaging uses. */
export async function deployedOptions(): Promise<BuildOptions> {
  const { outputFileExtension: _, exclude: __, ...options } = parse(await readFile(FILE, "utf8"));
  return options;
}
