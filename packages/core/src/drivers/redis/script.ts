import { createHash } from "node:crypto";
import { callRedis } from "./call.ts";
import type { Redis } from "./client.ts";
import { type Arguments, sendScript } from "./command.ts";

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
export function runScript(redis: Redis, { sha, lua }: Script, keys: readonly string[], args: Arguments) {
  return callRedis(
    redis,
    () => sendScript(redis, "evalsha", sha, keys, args),
    // A server that began anew, or another node. With its text it is kept.
    ({ message }) => (message.startsWith("NOSCRIPT") ? () => sendScript(redis, "eval", lua, keys, args) : undefined),
  );
}
