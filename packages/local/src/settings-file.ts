import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Environment } from "./backend.ts";
import { StartError } from "./start-error.ts";

/**
 * The environment of the process, and behind it that of a file, whose format is that of Node's own `--env-file`: what is set in both is as the process has it,
 * and an empty name counts as not set. Throws a {@link StartError} where the file can't be read.
 */
export async function readEnv(file: string | undefined): Promise<Environment> {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ""));
  return { ...(file !== undefined && parseEnv(await readText(file))), ...given };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new StartError(`--settings: ${(cause as Error).message}`, { cause });
  }
}
