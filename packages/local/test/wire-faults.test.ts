import {
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { EntryRefusal, WireFault } from "../src/index.ts";
import { startWire, type WireInfrastructure } from "./wire-infrastructure.ts";

const TableName = "things";

let wire: WireInfrastructure;
let QueueUrl: string;

beforeAll(async () => {
  wire = await startWire();
  await wire.makeTable(TableName);
  QueueUrl = await wire.makeQueue("jobs");
});

afterAll(() => wire.close());

afterEach(() => {
  delete wire.faults.store;
  delete wire.faults.queue;
});

function item(s: string) {
  return { p: { S: "p" }, s: { S: s } };
}

function put(s: string, options?: { readonly abortSignal: AbortSignal }) {
  return wire.dynamodbClient.send(new PutItemCommand({ TableName, Item: item(s) }), options);
}

async function isThere(s: string): Promise<boolean> {
  const { Item } = await wire.dynamodbClient.send(
    new GetItemCommand({ TableName, Key: item(s), ConsistentRead: true }),
  );
  return Item !== undefined;
}

function sendBatch(...bodies: string[]) {
  const Entries = bodies.map((body) => ({ Id: body, MessageBody: body }));
  return wire.sqsClient.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
}

/** Takes what is in the queue. */
async function receive(): Promise<string[]> {
  const { Messages = [] } = await wire.sqsClient.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = "" }) => Body).sort();
}

/** A fault on one operation. */
function on<T extends WireFault | EntryRefusal>(operation: string, fault: T) {
  return (asked: string) => (asked === operation ? fault : undefined);
}

describe("a request to DynamoDB", () => {
  it.each<[WireFault, object]>([
    [
      "throttle",
      {
        name: "ThrottlingException",
        message: expect.stringMatching(/^Throughput exceeds the current capacity of your table or index\./),
        $metadata: { httpStatusCode: 400, requestId: expect.any(String) },
      },
    ],
    ["fail", { name: "InternalServerError", $metadata: { httpStatusCode: 500 } }],
  ])("is refused: %s", async (fault, error) => {
    wire.faults.store = on("PutItem", fault);
    await expect(put(fault)).rejects.toMatchObject(error);
    expect(await isThere(fault)).toBe(false);
  });

  it("is never answered: hang", async () => {
    const abort = new AbortController();
    wire.faults.store = () => {
      setImmediate(() => abort.abort());
      return "hang";
    };
    await expect(put("hang", { abortSignal: abort.signal })).rejects.toMatchObject({ name: "AbortError" });
    delete wire.faults.store;
    expect(await isThere("hang")).toBe(false);
  });

  it("is applied, its answer lost: dropAnswer", async () => {
    wire.faults.store = on("PutItem", "dropAnswer");
    await expect(put("dropAnswer")).rejects.toThrow("socket hang up");
    expect(await isThere("dropAnswer")).toBe(true);
  });

  it("waits while a test holds it", async () => {
    const order: string[] = [];
    wire.faults.store = async (_operation, { Item }) => {
      const { s } = Item as { s: { S: string } };
      if (s.S === "slow") await put("fast").then(() => order.push("fast"));
      return undefined;
    };
    await put("slow").then(() => order.push("slow"));
    expect(order).toEqual(["fast", "slow"]);
  });

  it("is retried by the SDK as on AWS", async () => {
    let asked = 0;
    wire.faults.store = () => (asked++ === 0 ? "throttle" : undefined);
    const { region, credentials } = wire.dynamodbClient.config;
    const client = new DynamoDBClient({ endpoint: wire.dynamodbUrl, region, credentials });
    const { $metadata } = await client.send(new PutItemCommand({ TableName, Item: item("retried") }));
    expect($metadata.attempts).toBe(2);
    client.destroy();
  });
});

describe("a request to SQS", () => {
  it.each<[WireFault, object]>([
    [
      "throttle",
      {
        name: "RequestThrottled",
        message: "Request is throttled.",
        $metadata: { httpStatusCode: 403, requestId: expect.any(String) },
      },
    ],
    ["fail", { name: "InternalError", $metadata: { httpStatusCode: 500 } }],
  ])("is refused: %s", async (fault, error) => {
    wire.faults.queue = on("SendMessageBatch", fault);
    await expect(sendBatch("lost")).rejects.toMatchObject(error);
    expect(await receive()).toEqual([]);
  });

  it("is never answered: hang", async () => {
    const abort = new AbortController();
    wire.faults.queue = () => {
      setImmediate(() => abort.abort());
      return "hang";
    };
    const command = new SendMessageCommand({ QueueUrl, MessageBody: "lost" });
    const sent = wire.sqsClient.send(command, { abortSignal: abort.signal });
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
    delete wire.faults.queue;
    expect(await receive()).toEqual([]);
  });

  it("is applied, its answer lost: dropAnswer", async () => {
    wire.faults.queue = on("SendMessageBatch", "dropAnswer");
    await expect(sendBatch("kept")).rejects.toThrow("socket hang up");
    expect(await receive()).toEqual(["kept"]);
  });

  it("has some entries refused, the others taken", async () => {
    wire.faults.queue = on("SendMessageBatch", { refuseEntries: ["b", "d"] });
    const { Successful, Failed } = await sendBatch("a", "b", "c", "d");
    const fault = {
      SenderFault: false,
      Code: "InternalError",
      Message: "We encountered an internal error. Please try again.",
    };
    expect(Successful?.map(({ Id }) => Id)).toEqual(["a", "c"]);
    expect(Failed).toEqual([
      { Id: "b", ...fault },
      { Id: "d", ...fault },
    ]);
    expect(await receive()).toEqual(["a", "c"]);
  });

  it("has every entry refused", async () => {
    wire.faults.queue = on("SendMessageBatch", { refuseEntries: ["a", "b"] });
    const { Successful, Failed } = await sendBatch("a", "b");
    expect([Successful, Failed?.map(({ Id }) => Id)]).toEqual([undefined, ["a", "b"]]);
  });

  it("names no failures where there are none, as SQS does", async () => {
    expect(await sendBatch("a")).not.toHaveProperty("Failed");
    expect(await receive()).toEqual(["a"]);
  });

  it("is answered with addresses that clients can reach", async () => {
    expect(await wire.sqsClient.send(new GetQueueUrlCommand({ QueueName: "jobs" }))).toMatchObject({ QueueUrl });
  });

  it("is refused by its own name where there is no such queue", async () => {
    const command = new SendMessageCommand({ QueueUrl: `${wire.sqsUrl}/000000000000/none`, MessageBody: "lost" });
    await expect(wire.sqsClient.send(command)).rejects.toMatchObject({ name: "QueueDoesNotExist" });
  });
});

describe("what is counted", () => {
  /** What a step adds. */
  async function counted(step: () => Promise<unknown>) {
    const before = wire.meter.read();
    const outcome = await step().catch((error: Error) => error);
    const after = wire.meter.read();
    return {
      outcome,
      readUnits: after.readUnits - before.readUnits,
      writeUnits: after.writeUnits - before.writeUnits,
      requests: {
        ...added(before.storeRequests, after.storeRequests),
        ...added(before.queueRequests, after.queueRequests),
      },
    };
  }

  function added(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) {
    const entries = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  }

  const BIG = { S: "x".repeat(3_000) };

  it.each<[string, () => Promise<unknown>, { readUnits?: number; writeUnits?: number; requests: object }]>([
    ["a write of up to 1 KB", () => put("counted"), { writeUnits: 1, requests: { PutItem: 1 } }],
    [
      "a larger one",
      () => wire.dynamodbClient.send(new PutItemCommand({ TableName, Item: { ...item("big"), BIG } })),
      { writeUnits: 3, requests: { PutItem: 1 } },
    ],
    ["a fresh read", () => isThere("counted"), { readUnits: 1, requests: { GetItem: 1 } }],
    ["a fresh read of nothing", () => isThere("nothing"), { readUnits: 1, requests: { GetItem: 1 } }],
    [
      "a stale page with nothing on it",
      () =>
        wire.dynamodbClient.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: "p = :p",
            ExpressionAttributeValues: { ":p": { S: "-" } },
          }),
        ),
      { readUnits: 0.5, requests: { Query: 1 } },
    ],
    [
      "a batch of writes",
      () =>
        wire.dynamodbClient.send(
          new BatchWriteItemCommand({
            RequestItems: { [TableName]: ["1", "2"].map((s) => ({ PutRequest: { Item: item(s) } })) },
          }),
        ),
      { writeUnits: 2, requests: { BatchWriteItem: 1 } },
    ],
    [
      "a condition that didn't hold, which AWS charges too",
      () =>
        wire.dynamodbClient.send(
          new UpdateItemCommand({
            TableName,
            Key: item("counted"),
            ConditionExpression: "attribute_not_exists(p)",
            UpdateExpression: "SET n = :n",
            ExpressionAttributeValues: { ":n": { N: "1" } },
          }),
        ),
      { writeUnits: 1, requests: { UpdateItem: 1 } },
    ],
    ["a batch of messages", () => sendBatch("x"), { requests: { SendMessageBatch: 1 } }],
    [
      "a message of more than 64 KB, which is billed as several",
      () => wire.sqsClient.send(new SendMessageCommand({ QueueUrl, MessageBody: "x".repeat(150_000) })),
      { requests: { SendMessage: 3 } },
    ],
  ])("%s", async (_what, step, expected) => {
    expect(await counted(step)).toMatchObject({ readUnits: 0, writeUnits: 0, ...expected });
  });

  it("is a throttled request, but no units", async () => {
    wire.faults.store = () => "throttle";
    expect(await counted(() => put("throttled"))).toMatchObject({ writeUnits: 0, requests: { PutItem: 1 } });
  });

  it("is not told to a client that didn't ask", async () => {
    expect(await put("unasked")).not.toHaveProperty("ConsumedCapacity");
    const command = new PutItemCommand({ TableName, Item: item("asked"), ReturnConsumedCapacity: "TOTAL" });
    expect(await wire.dynamodbClient.send(command)).toMatchObject({
      ConsumedCapacity: { TableName, CapacityUnits: 1 },
    });
  });
});
