import type { Clock } from "../../clock.ts";
import type { Redis } from "../redis/client.ts";
import { runScript, type Script } from "../redis/script.ts";

/** Runs a script of the log, which is told the time and an epoch first. Throws `UnavailableError`. */
export type Run = (script: Script, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

export interface RunOptions {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  readonly newEpoch: () => string;
}

export function createRun({ redis, clock, newEpoch }: RunOptions): Run {
  return (script, keys, args) => runScript(redis, script, keys, [clock.now(), newEpoch(), ...args]);
}
