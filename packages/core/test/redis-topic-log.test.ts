import { afterEach, describe, expect, it } from "@jest/globals";
import type { Place } from "@topicast/protocol";
import { aTopic, startRedis, testClock } from "@topicast/testing";
import { Cluster, Command } from "ioredis";
import { topicKeys } from "../src/drivers/redis/keys.ts";
import { createRedisTopicLog, type Redis } from "../src/drivers/redis.ts";
import { topicHash } from "../src/drivers/topic-hash.ts";
import { DEFAULT_APP, type Retention, type TopicLog } from "../src/index.ts";
import { useRedis } from "./redis-clients.ts";

const RETENTION = { maxMessages: 100, maxAgeMs: 60_000 };
const keys = topicKeys(topicHash(DEFAULT_APP, aTopic()));

const open = useRedis(startRedis);

/** Runs a test with a log of its own. */
async function withLog(run: (of: LogParts) => Promise<void>, through = (redis: Redis) => redis): Promise<void> {
  const { redis, close } = open();
  const clock = testClock();
  try {
    await run({ redis, clock, log: createRedisTopicLog({ redis: through(redis), clock }) });
  } finally {
    await close();
  }
}

interface LogParts {
  readonly redis: Redis;
  readonly clock: ReturnType<typeof testClock>;
  readonly log: TopicLog;
}

function append({ log, clock }: LogParts, payload: string, retention: Retention = RETENTION, key?: string) {
  const idempotency = key === undefined ? {} : { key: { sender: "alice", value: key } };
  const batch = { payloads: [payload], time: clock.now(), ...idempotency };
  return log.append(DEFAULT_APP, aTopic(), batch, retention);
}

function since({ log }: LogParts, place: Place) {
  return log.readSince(DEFAULT_APP, aTopic(), place, { limit: 1_000, retention: RETENTION });
}

describe("a call that is sent twice, as its answer was lost", () => {
  let repeats = 0;
  afterEach(() => {
    expect(repeats).toBeGreaterThan(0);
    repeats = 0;
  });

  /** Each script runs twice, and the first answer is nobody's. */
  const twice = (redis: Redis): Redis =>
    new Proxy(redis, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== "sendCommand") return typeof value === "function" ? value.bind(target) : value;
        return async (command: Command) => {
          if (!command.name.startsWith("eval")) return target.sendCommand(command);
          await target.sendCommand(command);
          repeats += 1;
          const again = new Command(command.name, [], { replyEncoding: "utf8" });
          again.args = command.args;
          return target.sendCommand(again);
        };
      },
    });
  const wakeUp = { id: "w1", dueAt: 5 };

  it.each([undefined, "k1"])("appends once with the key %s", async (key) => {
    await withLog(async (parts) => {
      const { place, messages } = await append(parts, "a", RETENTION, key);
      expect(messages).toMatchObject([{ seq: 1, payload: "a" }]);
      expect(await append(parts, "b")).toMatchObject({ place: { seq: 2 } });
      const page = await since(parts, { ...place, seq: 0 });
      expect(page).toMatchObject({ messages: [{ payload: "a" }, { payload: "b" }] });
    }, twice);
  });

  it("claims, gathers and takes a tick once, and says so", async () => {
    await withLog(async ({ log, clock }) => {
      expect(await log.claim(DEFAULT_APP, aTopic(), { sender: "alice", value: "k" })).toBe(true);
      expect(await log.claim(DEFAULT_APP, aTopic(), { sender: "alice", value: "k" })).toBe(false);
      const gathering = { payloads: ["a"], time: clock.now(), tick: { wakeUp } };
      const { place } = await log.gather(DEFAULT_APP, aTopic(), gathering);
      const [from, to] = [
        { ...wakeUp, isSent: false },
        { ...wakeUp, isSent: true },
      ];
      expect(await log.replaceWakeUp(DEFAULT_APP, aTopic(), from, to)).toBe(true);
      const page = await log.readTick(DEFAULT_APP, aTopic(), place);
      expect(page?.gathered).toHaveLength(1);
      expect(await log.claimTick(DEFAULT_APP, aTopic(), page!, { ...to, id: "w2" })).toBe(true);
      expect(await log.readTick(DEFAULT_APP, aTopic(), place)).toMatchObject({ gathered: [], isAll: true });
    }, twice);
  });
});

describe("what is kept", () => {
  it("is bounded by number, and never far above it", async () => {
    await withLog(async (parts) => {
      for (let i = 0; i < 200; i++) await append(parts, `${i}`, { maxMessages: 20, maxAgeMs: 60_000 });
      expect(await parts.redis.xlen(keys.all[1])).toBeLessThan(20 + 16 + 1);
    });
  });

  it("is bounded by age, also where much is outdated at once", async () => {
    await withLog(async (parts) => {
      for (let i = 0; i < 100; i++) await append(parts, `${i}`);
      await parts.clock.advance(RETENTION.maxAgeMs + 1);
      for (let i = 0; i < 32; i++) await append(parts, `${i}`);
      expect(await parts.redis.xlen(keys.all[1])).toBeLessThan(32 + 16 + 1);
    });
  });

  it("expires by itself, every key", async () => {
    await withLog(async (parts) => {
      const { log, clock, redis } = parts;
      const tick = { wakeUp: { id: "w1", dueAt: 5 } };
      await append(parts, "a", RETENTION, "k1");
      await append(parts, "b");
      await log.claim(DEFAULT_APP, aTopic(), { sender: "alice", value: "k" });
      await log.gather(DEFAULT_APP, aTopic(), { payloads: ["a"], time: clock.now(), tick });
      const prefix = String(redis.options.keyPrefix);
      const names = await namesOf(redis, prefix);
      expect(names.map((name) => name.slice(prefix.length, prefix.length + 1)).sort()).toEqual([..."gikloot"].sort());
      for (const name of names) expect(await redis.pttl(name.slice(prefix.length))).toBeGreaterThan(0);
    });
  });

  it("of what is gathered and nobody takes is the newest", async () => {
    await withLog(async ({ log, clock }) => {
      const tick = { wakeUp: { id: "w1", dueAt: 5 } };
      const gather = (i: number) => log.gather(DEFAULT_APP, aTopic(), { payloads: [i], time: clock.now(), tick });
      const { place } = await gather(0);
      for (let i = 1; i < 600; i++) await gather(i);
      const page = await log.readTick(DEFAULT_APP, aTopic(), place);
      const payloads = page?.gathered.map(({ message }) => message.payload);
      expect(payloads).toEqual(Array.from({ length: 500 }, (_, i) => 100 + i));
      expect(page?.isAll).toBe(true);
    });
  });
});

/** All keys with a prefix. */
async function namesOf(redis: Redis, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (const node of redis instanceof Cluster ? redis.nodes("master") : [redis]) {
    let cursor = "0";
    do {
      const [next, found] = (await node.call("SCAN", cursor, "MATCH", `${prefix}*`)) as [string, string[]];
      names.push(...found);
      cursor = next;
    } while (cursor !== "0");
  }
  return names;
}

/** The last number of an epoch. */
const MAX_NUMBER = 9e15;

describe("numbers near the largest safe integer", () => {
  it("are exact, and behind it a new epoch begins", async () => {
    await withLog(async (parts) => {
      const { epoch } = (await append(parts, "a")).place;
      await parts.redis.hset(keys.head, "n", MAX_NUMBER - 2);
      for (const left of [1, 0]) {
        const { place } = await append(parts, "b");
        expect(place).toEqual({ epoch, seq: MAX_NUMBER - left });
      }
      const beginning = { epoch, seq: MAX_NUMBER - 2 };
      const page = await since(parts, beginning);
      expect(page).toMatchObject({ messages: [1, 0].map((left) => ({ seq: MAX_NUMBER - left })) });
      const { place } = await append(parts, "c");
      expect(place.seq).toBe(1);
      expect(place.epoch).not.toBe(epoch);
    });
  });
});
