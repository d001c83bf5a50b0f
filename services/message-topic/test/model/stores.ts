import { aKeyPrefix } from "@topicast/testing";
import type { Faults } from "./faults.ts";
import type { Random } from "./random.ts";
import type * as Entry from "./system-entry.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What a run's drivers have of it. */
export interface Nature {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
}

/** Where a run keeps what outlives an invocation. It begins empty. */
export interface Stores {
  readonly connections: object;
  readonly log: object;
  close(): void;
}

export type OpenStores = (drivers: typeof Entry, nature: Nature) => Stores;

export const openMemoryStores: OpenStores = (
  { createMemoryConnectionStore, createMemoryTopicLog },
  { time, random, faults },
) => {
  /** A publisher is late with what it took a number for, or dies of it. */
  const pause = () => {
    if (faults.hits("append dies")) return new Promise<void>(() => {});
    return faults.hits("append pauses") ? time.sleep(random.between(1, 4_000)) : undefined;
  };
  const log = createMemoryTopicLog({ clock: time, newEpoch: epochs(), beforeKey: pause, beforeWrite: pause });
  return { connections: createMemoryConnectionStore({ clock: time }), log, close() {} };
};

/** A server's own connections and logs, through the drivers. All else, and time, is the run's. */
export function redisStores(url: string): OpenStores {
  return ({ connectRedis, createRedisConnectionStore, createRedisTopicLog }, { time }) => {
    const client = connectRedis(url, { keyPrefix: aKeyPrefix() });
    const redis = inTurn(client, time);
    return {
      connections: createRedisConnectionStore({ redis, clock: time }),
      log: createRedisTopicLog({ redis, clock: time, newEpoch: epochs() }),
      close: () => client.disconnect(),
    };
  };
}

/** By name, so that a run can be replayed. */
function epochs(): () => string {
  let count = 0;
  return () => `epoch-${++count}`;
}

/** What isn't a command. */
const OWN = new Set(["on", "off", "connect", "disconnect"]);

/**
 * A client that sends a command when the one before it is answered, and lets no time pass meanwhile: so what comes first depends on the run alone, and not on
 * how bytes arrive.
 */
function inTurn<Client extends object>(client: Client, time: VirtualTime): Client {
  let last: Promise<unknown> = Promise.resolve();
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function" || OWN.has(String(name))) return value;
      return (...args: unknown[]) => {
        const answer = last.then(() => value.apply(target, args));
        last = answer.catch(() => {});
        return time.during(answer);
      };
    },
  });
}
