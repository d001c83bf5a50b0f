import { describe, expect, it } from "@jest/globals";
import { everyone, type Job, UnavailableError } from "@topicast/core";
import { health, httpHandler, json, queueHandler } from "@topicast/core/lambda";
import { aConnection, aJob, aTopic, TEST_START } from "@topicast/testing";
import type { APIGatewayProxyEventV2, SQSEvent, SQSRecord } from "aws-lambda";
import { PLENTY, takeJobs, testService } from "./test-service.ts";

const context = { getRemainingTimeInMillis: PLENTY };

function batchOf(...jobs: readonly Job[]): SQSEvent {
  return { Records: jobs.map((job, index) => recordOf(`m${index}`, JSON.stringify(job))) };
}

function recordOf(messageId: string, body: string, attributes: Partial<SQSRecord["attributes"]> = {}): SQSRecord {
  const sent = { SentTimestamp: String(TEST_START), ApproximateReceiveCount: "1", ...attributes };
  return { messageId, body, attributes: sent } as SQSRecord;
}

describe("queueHandler", () => {
  it("delivers every record and returns only those that failed", async () => {
    const service = testService();
    const alice = aConnection({ room: aTopic("good") });
    await service.connections.connect(alice);
    service.gateway.open(alice);
    const connections: typeof service.connections = {
      ...service.connections,
      subscribers: (query) =>
        query.topic === "bad" ? Promise.reject(new Error("a bug")) : service.connections.subscribers(query),
    };
    const handler = queueHandler({ ...service, connections });
    const batch = batchOf(
      aJob({ topic: aTopic("bad") }),
      aJob({ topic: aTopic("good") }),
      aJob({ topic: aTopic("bad") }),
    );
    await expect(handler(batch, context)).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: "m0" }, { itemIdentifier: "m2" }],
    });
    expect(service.gateway.frames(alice.id)).toHaveLength(1);
  });

  it.each([
    [1, []],
    [2, [{ index: 0 }, { index: 1 }]],
  ])("walks one shard to its end, and hands several on behind the first page: %i", async (count, handedOn) => {
    const service = testService({ pageSize: 5 });
    const topic = aTopic("large");
    for (let i = 0; i < 40; i++) {
      const connection = aConnection({ room: topic });
      await service.connections.connect(connection);
      service.gateway.open(connection);
    }
    const jobs = Array.from({ length: count }, (_, index) => aJob({ topic, shard: { index, of: count } }));
    expect(await queueHandler(service)(batchOf(...jobs), context)).toEqual({ batchItemFailures: [] });
    expect(service.gateway.posts).toHaveLength(count === 1 ? 40 : 10);
    const left = takeJobs(service);
    expect(left.map(({ shard }) => shard)).toMatchObject(handedOn);
    for (const job of left) await queueHandler(service)(batchOf(job), context);
    const posted = service.gateway.posts.map(({ id }) => id);
    expect([posted.length, new Set(posted).size]).toEqual([40, 40]);
  });

  it("leaves a record that is no job to the dead-letter queue", async () => {
    const handler = queueHandler(testService());
    await expect(handler({ Records: [recordOf("m0", "{")] }, context)).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: "m0" }],
    });
  });
});

describe("a record", () => {
  const topic = aTopic("room/1");

  async function deliverRecord(job: Job, attributes: Partial<SQSRecord["attributes"]>) {
    const service = testService();
    const alice = aConnection({ room: topic });
    await service.connections.connect(alice);
    service.gateway.open(alice);
    await queueHandler(service)({ Records: [recordOf("m0", JSON.stringify(job), attributes)] }, context);
    return { frames: service.gateway.frames(alice.id), deadLetters: service.queue.deadLetters };
  }

  it("that waited for more than a quarter of an hour is a dead letter", async () => {
    const SentTimestamp = String(TEST_START - 15 * 60_000 - 1);
    const { frames, deadLetters } = await deliverRecord(aJob({ topic }), { SentTimestamp });
    expect(frames).toEqual([]);
    expect(deadLetters).toMatchObject([{ reason: "waited for more than 15 minutes" }]);
  });

  it("that is ephemeral and waited for ten seconds is dropped", async () => {
    const { epoch: _, ...ephemeral } = aJob({ topic });
    const SentTimestamp = String(TEST_START - 10_001);
    const { frames, deadLetters } = await deliverRecord(ephemeral, { SentTimestamp });
    expect([frames, deadLetters]).toEqual([[], []]);
  });

  it("of a tick that comes again is delivered without what is ephemeral in it", async () => {
    const { messages } = aJob();
    const job = aJob({
      topic,
      takenAt: TEST_START,
      messages: [...messages, { payload: "position", time: TEST_START }],
    });
    const payloads = async (ApproximateReceiveCount: string) => {
      const { frames } = await deliverRecord(job, { ApproximateReceiveCount });
      return frames.map((frame) => JSON.parse(frame).messages.map(({ payload }: { payload: unknown }) => payload));
    };
    expect(await payloads("1")).toEqual([[{ x: 1 }, "position"]]);
    expect(await payloads("2")).toEqual([[{ x: 1 }]]);
  });

  it("that comes again is delivered again, unless it is ephemeral", async () => {
    const { epoch: _, ...ephemeral } = aJob({ topic });
    expect((await deliverRecord(aJob({ topic }), { ApproximateReceiveCount: "2" })).frames).toHaveLength(1);
    expect((await deliverRecord(ephemeral, { ApproximateReceiveCount: "1" })).frames).toHaveLength(1);
    expect((await deliverRecord(ephemeral, { ApproximateReceiveCount: "2" })).frames).toEqual([]);
  });
});

describe("httpHandler", () => {
  const { logger } = testService();
  const event = (fields: Partial<APIGatewayProxyEventV2>) =>
    ({
      routeKey: "POST /echo/{proxy+}",
      headers: {},
      requestContext: { requestId: "r1" },
      isBase64Encoded: false,
      ...fields,
    }) as APIGatewayProxyEventV2;
  const handler = httpHandler(
    { logger, allowedOrigins: "*", checkKey: everyone },
    {
      withKey: {
        "POST /echo/{proxy+}": async ({ rest, body }) => json(200, { rest, body }),
        "GET /store": () =>
          Promise.reject(new UnavailableError("store", "ProvisionedThroughputExceeded at table secret-name")),
        "GET /bug": () => Promise.reject(new Error("a secret")),
      },
    },
  );

  it("reads a body whichever way it comes", async () => {
    const body = Buffer.from("grüße").toString("base64");
    const response = await handler(event({ pathParameters: { proxy: "a/b" }, body, isBase64Encoded: true }));
    expect(response).toMatchObject({ statusCode: 200, body: '{"rest":"a/b","body":"grüße"}' });
  });

  it.each([
    ["GET /store", 503, "unavailable"],
    ["GET /bug", 500, "internal"],
    ["GET /nothing", 404, "not_found"],
    ["toString", 404, "not_found"],
  ])("%s answers with a problem document that gives no details away", async (routeKey, status, code) => {
    const response = await handler(event({ routeKey }));
    expect(response).toMatchObject({ statusCode: status, headers: { "content-type": "application/problem+json" } });
    expect(JSON.parse(response.body ?? "")).toMatchObject({
      type: "about:blank",
      status,
      code,
      title: expect.any(String),
    });
    expect(response.body).not.toContain("secret");
  });
});

describe("health", () => {
  const failing = () => Promise.reject(new UnavailableError("store", "down"));

  it("says which part failed", async () => {
    const service = testService();
    const noStore = { ...service, connections: { ...service.connections, get: failing } };
    const nothing = { ...noStore, queue: { ...service.queue, check: failing } };
    expect(await health(service)).toMatchObject({ statusCode: 200, body: '{"status":"ok"}' });
    const hanging = { ...service, queue: { ...service.queue, check: () => new Promise<void>(() => {}) } };
    const answer = health(hanging);
    await service.clock.advance(4_000);
    const refusal = { ok: false, fault: { code: "unavailable", message: expect.any(String) } };
    expect(await answer).toEqual({ ...refusal, members: { failed: ["queue"] } });
    expect(await health(noStore)).toEqual({ ...refusal, members: { failed: ["store"] } });
    expect(await health(nothing)).toEqual({ ...refusal, members: { failed: ["store", "queue"] } });
  });
});
