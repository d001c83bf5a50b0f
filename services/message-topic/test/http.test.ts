import { afterEach, describe, expect, it } from "@jest/globals";
import { UnavailableError } from "@topicast/core";
import type { HostOptions } from "@topicast/local";
import { connectRawClient, type Frame } from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

let host: TopicHost;
afterEach(() => host.close());

async function start(options: Partial<HostOptions> = {}) {
  host = await startTopicHost(options);
}

async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Frame }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${host.httpUrl}${path}`, { method: "POST", body: text, headers });
  return { status: response.status, body: await response.json() };
}

async function subscribed(topic: string) {
  const client = await connectRawClient(host.wsUrl);
  await client.request({ action: "subscribe", topic });
  return client;
}

const isMessages = ({ type }: Frame) => type === "messages";

describe("POST /topics/{topic}/messages", () => {
  it.each(["/topics/room/1/messages", "/topics/room%2F1/messages"])("%s publishes to room/1", async (path) => {
    await start();
    const client = await subscribed("room/1");
    const { status, body } = await post(path, { payload: { x: 1 } });
    expect({ status, body }).toEqual({ status: 202, body: { topic: "room/1", epoch: expect.any(String), seq: 1 } });
    const [frame] = await client.count(1, isMessages);
    const messages = [{ seq: 1, payload: { x: 1 }, time: expect.any(Number) }];
    expect(frame).toEqual({ type: "messages", topic: "room/1", epoch: body.epoch, messages });
  });

  it("publishes batches, ephemeral ones, and in somebody's name", async () => {
    await start();
    const client = await subscribed("räume/ü");
    const path = `/topics/${encodeURIComponent("räume/ü")}/messages`;
    expect((await post(path, { payloads: [1, 2, 3], from: "jobs" })).body).toMatchObject({ topic: "räume/ü", seq: 3 });
    expect((await post(path, { payload: 4, ephemeral: true })).body).toEqual({ topic: "räume/ü" });
    const [batch, single] = await client.count(2, isMessages);
    expect(batch.messages.map(({ from }: Frame) => from)).toEqual(["jobs", "jobs", "jobs"]);
    expect(single.messages).toEqual([{ payload: 4, time: expect.any(Number) }]);
  });

  it.each([
    ["/topics/room/messages", "not json", 400, "bad_request"],
    ["/topics/room/messages", "{}", 400, "bad_request"],
    ["/topics/room/messages", { payload: 1, key: "" }, 400, "bad_request"],
    ["/topics/a%20b/messages", { payload: 1 }, 400, "invalid_topic"],
    ["/topics/room/messages", { payload: "x".repeat(96 * 1024) }, 413, "payload_too_large"],
    ["/topics/room", { payload: 1 }, 404, "not_found"],
  ])("POST %s is refused", async (path, sent, status, code) => {
    await start();
    const { body, ...response } = await post(path, sent);
    expect(response.status).toBe(status);
    expect(body).toMatchObject({ status, code, detail: expect.any(String), title: expect.any(String) });
  });

  it("refuses an idempotency key that is none", async () => {
    await start();
    const { status } = await post("/topics/room/messages", { payload: 1 }, { "Idempotency-Key": "k".repeat(65) });
    expect(status).toBe(400);
  });
});

describe("POST /messages", () => {
  it("publishes to several topics, with a result for each in order", async () => {
    await start();
    const client = await subscribed("a");
    const { status, body } = await post("/messages", {
      messages: [
        { topic: "a", payload: 1 },
        { topic: "b", payload: 2 },
        { topic: "a/messages", payload: 3 },
        { topic: "a", payloads: [4, 5] },
        { payload: 6 },
        7,
      ],
    });
    expect(status).toBe(202);
    expect(body.results).toMatchObject([
      { topic: "a", seq: 1 },
      { topic: "b", seq: 1 },
      { topic: "a/messages", error: { code: "invalid_topic", message: expect.any(String) } },
      { topic: "a", seq: 3 },
      { error: { code: "bad_request" } },
      { error: { code: "bad_request" } },
    ]);
    // Neighbours of one topic are one batch.
    const { messages } = await client.frame(isMessages);
    expect(messages.map(({ seq, payload }: Frame) => [seq, payload])).toEqual(
      [1, 4, 5].map((payload, at) => [at + 1, payload]),
    );
  });

  it("says of each message of a batch where it is, whoever sent it and whether or not it has a key", async () => {
    await start();
    const client = await subscribed("a");
    const messages = [
      { payload: 1 },
      { payloads: [2, 3], from: "jobs" },
      { payload: 4, from: "jobs" },
      { payload: 5, from: "jobs", key: "k" },
      { payload: 6, ephemeral: true },
      { payloads: [7, 8, 9], ephemeral: false },
      { payload: 10 },
    ].map((message) => ({ topic: "a", ...message }));
    const { body } = await post("/messages", { messages });
    expect(body.results.map(({ topic, seq }: Frame) => [topic, seq])).toEqual(
      [1, 3, 4, 5, undefined, 8, 9].map((seq) => ["a", seq]),
    );
    const frames = await client.count(6, isMessages);
    const got = frames.flatMap((frame) => frame.messages.map(({ payload, from }: Frame) => [payload, from]));
    const jobs = [2, 3, 4, 5];
    expect(got).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => [n, jobs.includes(n) ? "jobs" : undefined]));
  });

  it("lets a message that is too large for its topic fail by itself", async () => {
    await start({ environment: { TOPIC_RULES: '[{"match":"*","maxPayloadBytes":10}]' } });
    const payloads = ["small", "larger than that", "short"];
    const { body } = await post("/messages", { messages: payloads.map((payload) => ({ topic: "a", payload })) });
    expect(body.results).toMatchObject([{ seq: 1 }, { error: { code: "payload_too_large", limit: 10 } }, { seq: 2 }]);
  });

  it("refuses an idempotency key that would stand for several messages", async () => {
    await start();
    const messages = [{ topic: "a", payload: 1 }];
    const { status, body } = await post("/messages", { messages }, { "Idempotency-Key": "k" });
    expect([status, body.detail]).toEqual([400, expect.stringContaining("give each a `key` of its own")]);
  });

  it("lets one message fail by itself", async () => {
    await start({
      ports: (ports) => ({
        ...ports,
        log: {
          ...ports.log,
          append: (app, topic, ...batch) =>
            topic === "b"
              ? Promise.reject(new UnavailableError("store", "throttled"))
              : ports.log.append(app, topic, ...batch),
        },
      }),
    });
    const messages = ["a", "b", "c"].map((topic) => ({ topic, payload: 1 }));
    const { body } = await post("/messages", { messages });
    expect(body.results).toMatchObject([
      { topic: "a", seq: 1 },
      { topic: "b", error: { code: "unavailable" } },
      { topic: "c", seq: 1 },
    ]);
  });

  it.each([{}, { messages: [] }, { messages: Array(101).fill({ topic: "a", payload: 1 }) }])(
    "refuses %j",
    async (body) => {
      await start();
      expect(await post("/messages", body)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    },
  );
});

describe("GET /health", () => {
  it("is 503 and says which part failed", async () => {
    await start({
      ports: (ports) => ({
        ...ports,
        queue: { ...ports.queue, check: () => Promise.reject(new UnavailableError("queue", "down")) },
      }),
    });
    const response = await fetch(`${host.httpUrl}/health`);
    expect([response.status, await response.json()]).toMatchObject([503, { code: "unavailable", failed: ["queue"] }]);
  });
});
