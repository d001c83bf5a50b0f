import { Command } from "ioredis";
import type { Redis } from "./client.ts";

/** Of a command, in their order. */
export type Arguments = readonly (string | number)[];

/** Sends a command of one key, which is its first argument; `rest` are the others. Its answer has strings, numbers, null and lists of these. */
export function sendCommand(redis: Redis, name: string, key: string, rest: Arguments): Promise<unknown> {
  return send(redis, name, [prefixOf(redis) + key, ...rest.map(String)]);
}

/** Sends a command that runs a script, which is told by its text or what stands for that. */
export function sendScript(
  redis: Redis,
  name: "eval" | "evalsha",
  script: string,
  keys: readonly string[],
  args: Arguments,
): Promise<unknown> {
  const prefix = prefixOf(redis);
  return send(redis, name, [script, String(keys.length), ...keys.map((key) => prefix + key), ...args.map(String)]);
}

/** ioredis's methods do the same, but look into each argument for lists and keys, which takes a tenth of all time on this side. */
function send(redis: Redis, name: string, args: string[]): Promise<unknown> {
  const command = new Command(name, [], { replyEncoding: "utf8" });
  command.args = args;
  return redis.sendCommand(command) as Promise<unknown>;
}

function prefixOf({ options }: Redis): string {
  return options.keyPrefix ?? "";
}
