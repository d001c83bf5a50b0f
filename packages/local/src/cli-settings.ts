import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Environment } from "./backend.ts";
import type { ReloadOptions } from "./host-options.ts";
import { StartError } from "./start-error.ts";

export interface SettingsOptions {
  /** A file's name. */
  readonly settings?: string;
  readonly store?: string;
  readonly aws?: true;
}

/** What handlers are to have, as the command line, the environment and a file say, in this order. Throws a {@link StartError} where the file can't be read. */
export async function readSettings({ settings, store, aws }: SettingsOptions): Promise<Required<ReloadOptions>> {
  const { STORE: set, ...env } = await readEnv(settings);
  const asked = store ?? set;
  // Over the wire nothing is in memory: that is how it would be without.
  const STORE = aws && asked === "memory" ? undefined : asked;
  if (STORE === undefined) return { env, environment: {} };
  const { REDIS_URL } = env;
  return { env: { ...env, STORE }, environment: { STORE, ...(REDIS_URL !== undefined && { REDIS_URL }) } };
}

/** The environment of the process, and behind it that of a file, in the format of Node's own `--env-file`. An empty name counts as not set. */
async function readEnv(file: string | undefined): Promise<Environment> {
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
