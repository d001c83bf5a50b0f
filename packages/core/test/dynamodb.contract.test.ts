import { jest } from "@jest/globals";
import { describeConnectionStoreContract, describeTopicLogContract, testClock } from "@topicast/testing";
import { createDynamoDbConnectionStore, createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { holdWrites } from "./dynamodb-held-writes.ts";
import { startDynamoDb } from "./dynamodb-server.ts";

/** Some make hundreds of calls: seconds, where the machine is busy. */
jest.setTimeout(20_000);

describeConnectionStoreContract("DynamoDB", async () => {
  const { client, tableName, close } = await startDynamoDb();
  const clock = testClock();
  return { store: createDynamoDbConnectionStore({ client, tableName, clock }), clock, close };
});

describeConnectionStoreContract("DynamoDB, with an address that rows leave out", async () => {
  const { client, tableName, close } = await startDynamoDb();
  const clock = testClock();
  const address = "localhost:4000/message-topic";
  return { store: createDynamoDbConnectionStore({ client, tableName, clock, address }), clock, close };
});

describeTopicLogContract("DynamoDB", async () => {
  const { client, tableName, close } = await startDynamoDb();
  const clock = testClock();
  const log = createDynamoDbTopicLog({ client, tableName, clock });
  return { log, clock, ...holdWrites(client), close };
});
