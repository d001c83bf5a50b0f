import type { Redis } from "@topicast/core/redis";
import { createTrips } from "./trips.ts";

/** A command that was sent and answered, or refused. */
export interface RedisCall {
  /** In lower case, as `evalsha`. */
  readonly name: string;
  /** What its key's slot follows from: the text in braces. */
  readonly slot: string;
  /** Counted from 1. Those of one trip were sent before any of them was answered. */
  readonly trip: number;
  /** Of its arguments and its answer, without what the protocol adds. */
  readonly bytes: number;
}

export interface RedisMeter {
  /** Runs something and says what it sent. Runs don't overlap. */
  measure(run: () => Promise<unknown>): Promise<readonly RedisCall[]>;
}

interface Command {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
  getKeys(): readonly (string | Buffer)[];
}

/** Counts what a client sends to its server or cluster. */
export function meterRedis(redis: Redis): RedisMeter {
  const trips = createTrips();
  let calls: RedisCall[] = [];

  const metered = redis as unknown as { sendCommand: (command: Command, ...rest: unknown[]) => unknown };
  const send = metered.sendCommand.bind(redis);
  metered.sendCommand = (command, ...rest) => {
    const trip = trips.note(command.promise);
    const { name, args } = command;
    const note = (answer: unknown) =>
      calls.push({ name, slot: slotOf(command), trip, bytes: bytesOf(args) + bytesOf(answer) });
    // Its caller hears of an error.
    command.promise.then(note, () => note(undefined));
    return send(command, ...rest);
  };

  return {
    async measure(run) {
      calls = [];
      trips.take();
      await run();
      return calls;
    },
  };
}

function slotOf(command: Command): string {
  const [key = ""] = command.getKeys();
  return /\{(.+?)\}/.exec(String(key))?.[1] ?? String(key);
}

function bytesOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, each) => sum + bytesOf(each), 0);
  return value === null || value === undefined ? 0 : Buffer.byteLength(String(value));
}
