import type { RedisCall } from "@topicast/testing/redis-meter";

/** What simple commands of AWS's description are: one takes one unit. */
const SIMPLE = "get";
const UNIT_BYTES = 1_024;

/** By command: how long each took the server's core, in µs. */
export type CommandTimes = ReadonlyMap<string, number>;

/** Of `INFO commandstats`. */
export function timesOf(info: string): CommandTimes {
  const lines = info.matchAll(/^cmdstat_([^:]+):.*usec_per_call=([\d.]+)/gm);
  return new Map([...lines].map(([, name, time]) => [name as string, Number(time)]));
}

/**
 * Of ElastiCache Serverless: a command takes one unit, or as many as it moves KB, or as many times as long as a simple one it keeps a core busy, whichever is
 * the most. Throws where no simple command was among those that were timed.
 */
export function ecpusOf(calls: readonly Pick<RedisCall, "name" | "bytes">[], times: CommandTimes): number {
  const simple = times.get(SIMPLE);
  if (simple === undefined) throw new Error(`No ${SIMPLE} was timed.`);
  return calls.reduce((sum, { name, bytes }) => {
    return sum + Math.max(1, bytes / UNIT_BYTES, (times.get(name) ?? 0) / simple);
  }, 0);
}
