import { describe, expect, it, jest } from "@jest/globals";
import { aTopic, startRedis } from "@topicast/testing";
import { createMemoryConnectionStore } from "../src/drivers/connection-store/memory.ts";
import { createDynamoDbConnectionStore, createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { createRedisConnectionStore, createRedisTopicLog } from "../src/drivers/redis.ts";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { systemClock } from "../src/index.ts";
import { startDynamoDb } from "./dynamodb-server.ts";
import { createMovingLoad, type MoveStep } from "./moving-load.ts";
import { withOrderedPages } from "./ordered-pages.ts";
import { useRedis } from "./redis-clients.ts";

/*
 * The live move, there and back, while 100 clients are connected, are cut once in each step, and some processes change later than others. What lasts hours and
 * minutes at an operator's lasts seconds here: a connection's life, a step, and how long a topic stays where it went.
 */

// DynamoDB's emulator shares the machine with all else.
jest.setTimeout(600_000);

const THERE_AND_BACK: readonly MoveStep[] = [0, 1, 2, 3, 2, 1, 0];
const CLIENTS = 100;
const TOPICS = Array.from({ length: 10 }, (_, n) => aTopic(`room/${n}`));
/** Longer than any call, as five minutes are: of a topic that goes to and fro meanwhile, not all of its history can be read. */
const HOLD_MS = 10_000;
const WIRE_HOLD_MS = 40_000;

type Figures = Awaited<ReturnType<ReturnType<typeof createMovingLoad>["walk"]>>;

function expectNothingLost(name: string, figures: Figures): void {
  const { messages, deliveries, lost, doubled, reported, retries, seconds } = figures;
  process.stdout.write(
    `${name}, there and back: ${messages} messages in ${seconds.toFixed(0)} s to ${CLIENTS} clients, ${deliveries} deliveries, ${retries} retries: ${lost} lost, ${doubled} doubled\n`,
  );
  expect({ lost, doubled, reported }).toEqual({ lost: 0, doubled: 0, reported: 0 });
  expect(deliveries).toBe((messages * CLIENTS) / TOPICS.length);
}

describe("the live move under load", () => {
  const openRedis = useRedis(startRedis);

  it("loses and doubles nothing between DynamoDB and Redis, at 100 messages a second", async () => {
    const dynamodb = await startDynamoDb();
    const { redis, close } = openRedis();
    const [clock, address] = [systemClock, "local"];
    const load = createMovingLoad({
      connections: [
        createDynamoDbConnectionStore({ ...dynamodb, clock, address }),
        createRedisConnectionStore({ redis, clock, address }),
      ],
      logs: [createDynamoDbTopicLog({ ...dynamodb, clock }), createRedisTopicLog({ redis, clock })],
      clients: CLIENTS,
      topics: TOPICS,
      messagesPerSecond: 100,
      batch: 10,
      holdMs: WIRE_HOLD_MS,
      changeMs: 2_000,
      // As fast as the emulator lets 100 clients in, beside all else.
      stepMs: 5_000,
    });
    expectNothingLost("DynamoDB and Redis", await load.walk(THERE_AND_BACK));
    await close();
    await dynamodb.close();
  });

  it("loses and doubles nothing between memory and Redis, at 1,000 messages a second", async () => {
    const { redis, close } = openRedis();
    const [clock, address] = [systemClock, "local"];
    const load = createMovingLoad({
      connections: [
        withOrderedPages(createMemoryConnectionStore({ clock })),
        createRedisConnectionStore({ redis, clock, address }),
      ],
      logs: [createMemoryTopicLog({ clock }), createRedisTopicLog({ redis, clock })],
      clients: CLIENTS,
      topics: TOPICS,
      messagesPerSecond: 1_000,
      batch: 5,
      holdMs: HOLD_MS,
      changeMs: 500,
      stepMs: 3_000,
    });
    expectNothingLost("Memory and Redis", await load.walk(THERE_AND_BACK));
    await close();
  });
});
