import { createHash } from "node:crypto";
import { callRedis } from "./call.ts";
import type { Redis } from "./client.ts";

/** A program that a server runs as one step, while it does nothing else. */
export interface Script {
  readonly name: string;
  readonly lua: string;
  /** What a server that knows it calls it. */
  readonly sha: string;
}

/** The first line, a comment with the name, tells scripts apart in a server's slow log. */
export function defineScript(name: string, lua: string): Script {
  const named = `-- ${name}\n${lua}`;
  return { name, lua: named, sha: createHash("sha1").update(named).digest("hex") };
}

/**
 * Runs a script; `keys` are all that it touches, of one slot. Strings come as strings, numbers as whole numbers, false and nil as null, and tables as arrays
 * up to the first nil. Throws as {@link callRedis} does.
 *
 * It may be run twice, as the answer of the first time was lost with its connection; then the second time must see that, and answer the same.
 */
export function runScript(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  return callRedis(redis, () => evaluate(redis, script, [...keys, ...args], keys.length));
}

async function evaluate(redis: Redis, { sha, lua }: Script, args: (string | number)[], keys: number): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys, ...args);
  } catch (error) {
    // A server that began anew, or another node. With its text it is kept.
    if (!String((error as Error).message).startsWith("NOSCRIPT")) throw error;
    return await redis.eval(lua, keys, ...args);
  }
}
