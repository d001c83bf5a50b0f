import { afterEach, expect, it } from "@jest/globals";
import { aTopic, type RedisServer, startRedisServer, testClock } from "@topicast/testing";
import type { Command } from "ioredis";
import { createMovingTopicLog } from "../src/drivers/moving/topic-log.ts";
import { connectRedis, createRedisTopicLog, type Redis } from "../src/drivers/redis.ts";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { DEFAULT_APP } from "../src/index.ts";

/** Topics that leave a Redis which is in trouble, for a store in memory. */

const RETENTION = { maxMessages: 100, maxAgeMs: 60_000 };
const PAGE = { limit: 100, retention: RETENTION };
const topic = aTopic();

let server: RedisServer;
const clients: Redis[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await server.stop();
});

async function open(through: (redis: Redis) => Redis = (redis) => redis) {
  server = await startRedisServer();
  const redis = connectRedis(server.url);
  clients.push(redis);
  const clock = testClock();
  const before = createRedisTopicLog({ redis, clock });
  const stores = [createMemoryTopicLog({ clock }), createRedisTopicLog({ redis: through(redis), clock })] as const;
  const leaving = createMovingTopicLog({ stores, owner: 0, clock, holdMs: 0 });
  const staying = createMovingTopicLog({ stores, owner: 1, clock });
  const batch = (...payloads: string[]) => ({ payloads, time: clock.now() });
  return { redis, clock, before, leaving, staying, batch, tick: { wakeUp: { id: "w1", dueAt: clock.now() + 50 } } };
}

it("takes its history along from a server that began anew and lost nothing", async () => {
  const { redis, before, leaving, batch } = await open();
  const { place: first } = await before.append(DEFAULT_APP, topic, batch("a"), RETENTION);
  const { place: last } = await before.append(DEFAULT_APP, topic, batch("b", "c"), RETENTION);
  await redis.call("SAVE");
  await server.kill();
  await server.start();

  const page = await leaving.readSince(DEFAULT_APP, topic, first, PAGE);
  expect(page).toMatchObject({ recovered: true, messages: [{ payload: "b" }, { payload: "c" }] });
  const { place: next } = await leaving.append(DEFAULT_APP, topic, batch("d"), RETENTION);
  expect(next.epoch).toBe(last.epoch);
  // What another server may have given since isn't given again.
  expect(next.seq).toBeGreaterThan(last.seq + 1_000_000);
  expect(await leaving.readSince(DEFAULT_APP, topic, last, PAGE)).toMatchObject({
    recovered: true,
    messages: [{ payload: "d" }],
  });
  const lost = { ...last, seq: last.seq + 1 };
  expect(await leaving.readSince(DEFAULT_APP, topic, lost, PAGE)).toMatchObject({ recovered: false });
});

it("leaves a server that has no memory", async () => {
  const { redis, before, leaving, batch } = await open();
  const { place } = await before.append(DEFAULT_APP, topic, batch("a"), RETENTION);
  await redis.call("CONFIG", "SET", "maxmemory", "1");
  await expect(before.append(DEFAULT_APP, topic, batch("b"), RETENTION)).rejects.toThrow("OOM");

  expect(await leaving.readLatest(DEFAULT_APP, topic, PAGE)).toMatchObject({ messages: [{ payload: "a" }] });
  const { place: next } = await leaving.append(DEFAULT_APP, topic, batch("c"), RETENTION);
  expect(next).toEqual({ ...place, seq: place.seq + 1 });
});

it("comes back from a server that has no memory by the time that it is there", async () => {
  const { redis, leaving, staying, batch } = await open();
  const { place } = await leaving.append(DEFAULT_APP, topic, batch("a"), RETENTION);
  await redis.call("CONFIG", "SET", "maxmemory", "1");
  await expect(staying.append(DEFAULT_APP, topic, batch("b"), RETENTION)).rejects.toThrow("OOM");

  const { place: next } = await leaving.append(DEFAULT_APP, topic, batch("c"), RETENTION);
  expect(next).toEqual({ ...place, seq: place.seq + 1 });
});

it("doesn't append again what was appended before it left, where the answer was lost", async () => {
  let isArmed = false;
  const { leaving, staying, batch } = await open((redis) => losingAnAnswer(redis, () => isArmed, leave));
  async function leave(): Promise<void> {
    isArmed = false;
    await leaving.place(DEFAULT_APP, topic);
  }
  await staying.append(DEFAULT_APP, topic, batch("a"), RETENTION);
  isArmed = true;
  const { place } = await staying.append(DEFAULT_APP, topic, batch("b"), RETENTION);
  expect(isArmed).toBe(false);
  const { messages } = await leaving.readLatest(DEFAULT_APP, topic, PAGE);
  expect(messages.map(({ payload }) => payload)).toEqual(["a", "b"]);
  expect(await leaving.place(DEFAULT_APP, topic)).toEqual(place);
});

it("gathers for the next tick though a worker that read before it left takes its tick after", async () => {
  const { clock, leaving, staying, tick } = await open();
  const gather = (payload: string) => ({ payloads: [payload], time: clock.now(), tick });
  for (const payload of ["a", "b", "c"]) await staying.gather(DEFAULT_APP, topic, gather(payload));
  const { epoch } = await staying.place(DEFAULT_APP, topic);
  const page = await staying.readTick(DEFAULT_APP, topic, { epoch, seq: 0 });
  await leaving.place(DEFAULT_APP, topic);
  const next = { id: "w2", dueAt: clock.now() + 100, isSent: true };
  expect(page !== undefined && (await leaving.claimTick(DEFAULT_APP, topic, page, next))).toBe(true);

  await leaving.gather(DEFAULT_APP, topic, gather("d"));
  const later = await leaving.readTick(DEFAULT_APP, topic, { epoch, seq: 0 });
  expect(later?.gathered.map(({ message }) => message.payload)).toEqual(["d"]);
});

/** The same client; while `isArmed` the next append is done, then `meanwhile`, and then its connection seems to have broken. */
function losingAnAnswer(redis: Redis, isArmed: () => boolean, meanwhile: () => Promise<void>): Redis {
  return new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== "sendCommand") return typeof value === "function" ? value.bind(target) : value;
      return async (command: Command) => {
        const isAppend = command.args.includes('["b"]') && isArmed();
        const answer: unknown = await target.sendCommand(command);
        if (!isAppend) return answer;
        await meanwhile();
        throw new Error("Connection is closed.");
      };
    },
  });
}
