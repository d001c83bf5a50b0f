import { jest } from "@jest/globals";
import { describeAppStoreContract, startRedis, startRedisCluster, testClock } from "@topicast/testing";
import { createMemoryAppStore } from "../src/drivers/app-store/memory.ts";
import { createDynamoDbAppStore } from "../src/drivers/dynamodb.ts";
import { createRedisAppStore } from "../src/drivers/redis.ts";
import { startDynamoDb } from "./dynamodb-server.ts";
import { useRedis } from "./redis-clients.ts";

/** Seconds, where the machine is busy; a cluster takes some to agree. */
jest.setTimeout(30_000);

describeAppStoreContract("memory", async () => {
  const clock = testClock();
  return { store: createMemoryAppStore({ clock }), clock, close: async () => {} };
});

describeAppStoreContract("DynamoDB", async () => {
  const { client, tableName, close } = await startDynamoDb();
  const clock = testClock();
  return { store: createDynamoDbAppStore({ client, tableName, clock }), clock, close };
});

const openSingle = useRedis(startRedis);
describeAppStoreContract("Redis", async () => {
  const { redis, close } = openSingle();
  const clock = testClock();
  return { store: createRedisAppStore({ redis, clock }), clock, close };
});

const openCluster = useRedis(startRedisCluster);
describeAppStoreContract("a cluster of Redis", async () => {
  const { redis, close } = openCluster();
  const clock = testClock();
  return { store: createRedisAppStore({ redis, clock }), clock, close };
});
