import { describe, expect, it, jest } from "@jest/globals";
import { aConnectionId, anApp, aTopic, startRedis, startRedisCluster } from "@topicast/testing";
import { connectionPart, topicPart } from "../src/drivers/redis/keys.ts";
import { defineScript, runScript } from "../src/drivers/redis/script.ts";
import { connectRedis, type Redis } from "../src/drivers/redis.ts";
import { topicHash } from "../src/drivers/topic-hash.ts";
import { useRedis } from "./redis-clients.ts";

/** A cluster takes some seconds to agree. */
jest.setTimeout(30_000);

describe.each([
  ["a server", startRedis],
  ["a cluster", startRedisCluster],
])("a client of %s", (_, start) => {
  const open = useRedis(start);

  it("runs a script with keys and arguments, again when servers have forgotten it", async () => {
    const { redis, close } = open();
    const swap = defineScript("swap", "return {redis.call('GETSET', KEYS[1], ARGV[1]), 7, false, 'end'}");
    expect(await runScript(redis, swap, ["a"], ["one"])).toEqual([null, 7, null, "end"]);
    await flushScripts(redis);
    expect(await runScript(redis, swap, ["a"], ["two"])).toEqual(["one", 7, null, "end"]);
    await close();
  });

  it("runs many at once, wherever their keys are", async () => {
    const { redis, close } = open();
    const add = defineScript("add", "return redis.call('INCRBY', KEYS[1], ARGV[1])");
    const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`);
    const sums = await Promise.all(keys.map((key, i) => runScript(redis, add, [key], [i])));
    expect(sums).toEqual(keys.map((_, i) => i));
    await close();
  });

  it("sends up to 32 commands that are asked for at once as one write", async () => {
    const { redis, close } = open();
    const key = "{here}";
    await redis.set(key, "value");
    const written = () => streamsOf(redis).reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
    const before = written();
    const answers = Array.from({ length: 31 }, () => redis.get(key));
    expect(written()).toBe(before);
    answers.push(redis.get(key), redis.get(key));
    const first = written() - before;
    expect(first).toBeGreaterThan(32 * key.length);
    expect(await Promise.all(answers)).toEqual(Array(33).fill("value"));
    expect(written() - before).toBe((first * 33) / 32);
    await close();
  });

  it("has all of a topic, and all of a connection, in one slot", async () => {
    const { redis, close } = open();
    const both = defineScript("both", "redis.call('SET', KEYS[1], 1) return redis.call('GET', KEYS[2])");
    const topic = topicHash(anApp("a"), aTopic());
    expect(await runScript(redis, both, [topicPart(topic, "x"), topicPart(topic, "y")], [])).toBeNull();
    const connection = [anApp("a}b"), aConnectionId()] as const;
    expect(
      await runScript(redis, both, [connectionPart(...connection, "x"), connectionPart(...connection, "y")], []),
    ).toBeNull();
    await close();
  });

  it("tells apart by prefix what others keep under the same keys", async () => {
    const [mine, theirs] = [open(), open()];
    await mine.redis.set("key", "mine");
    expect(await theirs.redis.get("key")).toBeNull();
    expect(await mine.redis.get("key")).toBe("mine");
    await Promise.all([mine.close(), theirs.close()]);
  });

  it("throws what is a mistake of ours as it is, without what was sent", async () => {
    const { redis, close } = open();
    const wrong = defineScript("wrong", "return redis.call('LPUSH', KEYS[1], ARGV[1])");
    await redis.set("key", "text");
    const error = await runScript(redis, wrong, ["key"], ["payload"]).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "Error", message: expect.stringContaining("WRONGTYPE") });
    expect(JSON.stringify(Object.entries(error as object))).not.toContain("payload");
    await close();
  });
});

describe("connectRedis", () => {
  it("refuses what is no URL of Redis without repeating it", () => {
    expect(() => connectRedis("redis://:hunter2@")).toThrow(/^A URL of Redis must be (?!.*hunter2)/);
  });
});

function mastersOf(redis: Redis) {
  return "nodes" in redis ? redis.nodes("master") : [redis];
}

function streamsOf(redis: Redis) {
  return mastersOf(redis).flatMap(({ stream }) => (stream === undefined ? [] : [stream]));
}

async function flushScripts(redis: Redis): Promise<void> {
  await Promise.all(mastersOf(redis).map((node) => node.script("FLUSH")));
}
