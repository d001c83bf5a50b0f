import type { Redis } from "@topicast/core/redis";

/** A command that was sent. */
export interface RedisCall {
  /** In lower case, as `evalsha`. */
  readonly name: string;
  /** What its key's slot follows from: the text in braces. */
  readonly slot: string;
  /** Counted from 1. Those of one trip were sent before any of them was answered. */
  readonly trip: number;
}

export interface RedisMeter {
  /** Runs something and says what it sent. Runs don't overlap. */
  measure(run: () => Promise<unknown>): Promise<readonly RedisCall[]>;
}

interface Command {
  readonly name: string;
  readonly promise: Promise<unknown>;
  getKeys(): readonly (string | Buffer)[];
}

/** Counts what a client sends to its server or cluster. */
export function meterRedis(redis: Redis): RedisMeter {
  let calls: RedisCall[] = [];
  let trip = 0;
  let underWay = 0;

  function note(command: Command): void {
    if (underWay === 0) trip += 1;
    underWay += 1;
    calls.push({ name: command.name, slot: slotOf(command), trip });
    const end = () => {
      underWay -= 1;
    };
    command.promise.then(end, end);
  }

  const metered = redis as unknown as { sendCommand: (command: Command, ...rest: unknown[]) => unknown };
  const send = metered.sendCommand.bind(redis);
  metered.sendCommand = (command, ...rest) => {
    note(command);
    return send(command, ...rest);
  };

  return {
    async measure(run) {
      calls = [];
      trip = 0;
      await run();
      return calls;
    },
  };
}

function slotOf(command: Command): string {
  const [key = ""] = command.getKeys();
  return /\{(.+?)\}/.exec(String(key))?.[1] ?? String(key);
}
