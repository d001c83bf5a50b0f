import { describe, expect, it } from "@jest/globals";
import { type FanoutJob, UnavailableError } from "@topicast/core";
import { health, httpHandler, json, queueHandler } from "@topicast/core/lambda";
import { aConnection, aJob, aTopic } from "@topicast/testing";
import type { APIGatewayProxyEventV2, SQSEvent, SQSRecord } from "aws-lambda";
import { PLENTY, testService } from "./test-service.ts";

const context = { getRemainingTimeInMillis: PLENTY };

function batchOf(...jobs: readonly FanoutJob[]): SQSEvent {
  const records = jobs.map((job, index) => ({ messageId: `m${index}`, body: JSON.stringify(job) }) as SQSRecord);
  return { Records: records };
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
        query.topic === "bad"
          ? Promise.reject(new UnavailableError("store", "throttled"))
          : service.connections.subscribers(query),
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

  it("leaves a record that is no job to the dead-letter queue", async () => {
    const handler = queueHandler(testService());
    const records = [{ messageId: "m0", body: "{" } as SQSRecord];
    await expect(handler({ Records: records }, context)).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: "m0" }],
    });
  });
});

describe("httpHandler", () => {
  const { logger } = testService();
  const event = (fields: Partial<APIGatewayProxyEventV2>) =>
    ({ routeKey: "POST /echo/{proxy+}", headers: {}, isBase64Encoded: false, ...fields }) as APIGatewayProxyEventV2;
  const handler = httpHandler(logger, {
    "POST /echo/{proxy+}": async ({ rest, body }) => json(200, { rest, body }),
    "GET /store": () =>
      Promise.reject(new UnavailableError("store", "ProvisionedThroughputExceeded at table secret-name")),
    "GET /bug": () => Promise.reject(new Error("a secret")),
  });

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
    const responses = [await health(noStore), await health(nothing)];
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([503, 503]);
    expect(responses.map(({ body }) => JSON.parse(body ?? "").failed)).toEqual([["store"], ["store", "queue"]]);
  });
});
