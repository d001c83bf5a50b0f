import type { Clock } from "../../clock.ts";
import type { Redis } from "../redis/client.ts";
import { MovedError } from "../../errors.ts";
import { runScript, type Script } from "../redis/script.ts";
import { TOPIC_MOVED } from "./redis-lua.ts";

/** Runs a script of the log, which is told the time and an epoch first. Throws `UnavailableError`, or `MovedError`. */
export type Run = (script: Script, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

export interface RunOptions {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  readonly newEpoch: () => string;
}

export function createRun({ redis, clock, newEpoch }: RunOptions): Run {
  return async (script, keys, args) => {
    try {
      return await runScript(redis, script, keys, [clock.now(), newEpoch(), ...args]);
    } catch (error) {
      // An answer, which a script has no other way to give wherever it looks at the topic.
      if (String((error as Error).message).includes(TOPIC_MOVED)) throw new MovedError();
      throw error;
    }
  };
}
