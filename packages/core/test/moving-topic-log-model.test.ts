import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { aTopic, createRandom, startRedis, testClock } from "@topicast/testing";
import { createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { createRedisTopicLog } from "../src/drivers/redis.ts";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import type { Clock } from "../src/index.ts";
import type { MovableTopicLog } from "../src/ports/topic-mover.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";
import { createMovingRun, createTurns, type Turns } from "./moving-run.ts";
import { useRedis } from "./redis-clients.ts";

const PHASES = 4;
const CALLS = 8;

type Run = ReturnType<typeof createMovingRun>;
type CreateStore = (clock: Clock, turns: Turns) => MovableTopicLog;

/** What was acknowledged has its numbers, nobody has those of another, and all who followed the topic saw the same. */
function expectOneHistory({ answers, followers }: Run): void {
  const [one, two] = followers.map(({ payloads }) => [...payloads].sort(([a], [b]) => a - b));
  expect(one).toEqual(two);
  const history = new Map(one);
  for (const { place, messages } of answers.values()) {
    expect(place.epoch).toBe(followers[0]?.epoch);
    expect(messages.at(-1)?.seq).toBe(place.seq);
    for (const { seq, payload } of messages) expect([seq, history.get(seq)]).toEqual([seq, payload]);
  }
  const payloads = [...history.values()];
  expect(payloads).toHaveLength(new Set(payloads).size);
}

async function runWith(seed: number, deaths: number, [one, two]: readonly [CreateStore, CreateStore]): Promise<void> {
  const clock = testClock();
  const turns = createTurns(createRandom(seed));
  const stores = [one(clock, turns), two(clock, turns)] as const;
  const run = createMovingRun({ topic: aTopic(`run/${seed}/${deaths}`), seed, clock, turns, stores, deaths });
  try {
    for (let phase = 0; phase < PHASES; phase++) await run.phase(CALLS);
    expectOneHistory(run);
  } catch (error) {
    throw new Error(`Seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}

const inMemory: CreateStore = (clock, turns) =>
  createMemoryTopicLog({ clock, beforeKey: turns.take, beforeWrite: turns.take });

describe("topics that go to and fro lose nothing, double nothing and repeat no number", () => {
  let dynamodb: DynamoDbServer;
  beforeAll(async () => {
    dynamodb = await startDynamoDb();
  });
  afterAll(() => dynamodb.close());
  const openRedis = useRedis(startRedis);

  const inDynamoDb: CreateStore = (clock) => createDynamoDbTopicLog({ ...dynamodb, clock });

  it.each([
    ["lives", 0],
    ["dies now and then", 0.05],
    ["dies often", 0.25],
  ])(
    "in memory, where who moves them %s",
    async (_, deaths) => {
      for (let seed = 1; seed <= 150; seed++) await runWith(seed, deaths, [inMemory, inMemory]);
    },
    120_000,
  );

  it("between DynamoDB and memory", async () => {
    for (let seed = 1; seed <= 6; seed++) await runWith(seed, 0.05, [inDynamoDb, inMemory]);
  }, 120_000);

  it("between memory and Redis", async () => {
    const { redis, close } = openRedis();
    for (let seed = 1; seed <= 30; seed++)
      await runWith(seed, 0.05, [inMemory, (clock) => createRedisTopicLog({ redis, clock })]);
    await close();
  }, 120_000);

  it("between DynamoDB and Redis", async () => {
    const { redis, close } = openRedis();
    for (let seed = 11; seed <= 16; seed++)
      await runWith(seed, 0.05, [inDynamoDb, (clock) => createRedisTopicLog({ redis, clock })]);
    await close();
  }, 120_000);
});
