import { jest } from "@jest/globals";
import { describeAppStoreContract, testClock } from "@topicast/testing";
import { createMemoryAppStore } from "../src/drivers/app-store/memory.ts";
import { createDynamoDbAppStore } from "../src/drivers/dynamodb.ts";
import { startDynamoDb } from "./dynamodb-server.ts";

/** Seconds, where the machine is busy. */
jest.setTimeout(20_000);

describeAppStoreContract("memory", async () => {
  const clock = testClock();
  return { store: createMemoryAppStore({ clock }), clock, close: async () => {} };
});

describeAppStoreContract("DynamoDB", async () => {
  const { client, tableName, close } = await startDynamoDb();
  const clock = testClock();
  return { store: createDynamoDbAppStore({ client, tableName, clock }), clock, close };
});
