import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { HostOptions } from "@topicast/local";
import { connectRawClient, type Frame } from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// Emulators of DynamoDB and SQS take their time to start.
jest.setTimeout(60_000);

const TOPIC = "room/1";
const KB = 1_024;

let host: TopicHost;
afterEach(() => host.close());

/** The same service over the drivers of a laptop and over those of AWS. */
const BACKENDS: readonly [string, Partial<HostOptions>][] = [
  ["in memory", {}],
  ["over the wire", { wire: { visibilityTimeoutSeconds: 5 } }],
];

async function start(options: Partial<HostOptions> = {}, rules: readonly object[] = []) {
  host = await startTopicHost({ ...options, environment: { TOPIC_RULES: JSON.stringify(rules) } });
  return connectRawClient(host.wsUrl);
}

const isMessages = ({ type }: Frame) => type === "messages";
const payloadsOf = ({ messages }: Frame) => messages.map(({ payload }: Frame) => payload);
const seqsOf = ({ messages }: Frame) => messages.map(({ seq }: Frame) => seq);

async function ask(path: string, init: RequestInit = {}) {
  const response = await fetch(`${host.httpUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, bytes: Buffer.byteLength(text), body: text === "" ? undefined : JSON.parse(text) };
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(path, { method: "POST", body: JSON.stringify(body), headers });

describe.each(BACKENDS)("a client that comes back: %s", (_, backend) => {
  it("gets what it missed, and from there on everything live", async () => {
    const bob = await start(backend);
    const alice = await connectRawClient(host.wsUrl);
    const before = await alice.request({ action: "subscribe", topic: TOPIC });
    await bob.request({ action: "publish", topic: TOPIC, payload: 1 });
    await alice.count(1, isMessages);
    alice.vanish();
    for (const payload of [2, 3]) await bob.request({ action: "publish", topic: TOPIC, payload, key: `k${payload}` });

    const again = await connectRawClient(host.wsUrl);
    const since = { epoch: before.epoch, seq: 1 };
    const ack = await again.request({ action: "subscribe", topic: TOPIC, since });
    expect(ack).toMatchObject({ type: "ack", epoch: before.epoch, seq: 3, recovered: true, more: false });
    const time = expect.any(Number);
    const { you } = await bob.request({ action: "ping" });
    expect(ack.messages).toEqual([
      { seq: 2, payload: 2, from: you, time, key: "k2" },
      { seq: 3, payload: 3, from: you, time, key: "k3" },
    ]);
    await bob.request({ action: "publish", topic: TOPIC, payload: 4 });
    const [live] = await again.count(1, isMessages);
    expect(seqsOf(live)).toEqual([4]);
  });

  it("asks for the newest, for a page and for all after a place", async () => {
    const client = await start(backend);
    for (const payload of [1, 2, 3, 4, 5]) await client.request({ action: "publish", topic: TOPIC, payload });
    const newest = await client.request({ action: "subscribe", topic: TOPIC, last: 2 });
    expect(newest).toMatchObject({ seq: 5, messages: [{ seq: 4 }, { seq: 5 }] });
    const { epoch } = newest;
    const page = await client.request({ action: "history", topic: TOPIC, since: { epoch, seq: 1 }, limit: 3 });
    expect(page).toMatchObject({ type: "ack", action: "history", epoch, seq: 5, recovered: true, more: true });
    expect(seqsOf(page)).toEqual([2, 3, 4]);
    const rest = await client.request({ action: "history", topic: TOPIC, since: { epoch, seq: 4 } });
    expect(rest).toMatchObject({ recovered: true, more: false, messages: [{ seq: 5, payload: 5 }] });
    const last = await client.request({ action: "history", topic: TOPIC, last: 100 });
    expect([last.recovered, seqsOf(last)]).toEqual([true, [1, 2, 3, 4, 5]]);
    const over = await ask(`/topics/${TOPIC}/messages?epoch=${epoch}&seq=3`);
    expect(over).toMatchObject({ status: 200, body: { topic: TOPIC, epoch, seq: 5, recovered: true, more: false } });
    expect(seqsOf(over.body)).toEqual([4, 5]);
    expect(seqsOf((await ask(`/topics/${encodeURIComponent(TOPIC)}/messages?last=1`)).body)).toEqual([5]);
    expect(await ask(`/topics/${TOPIC}/messages`)).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });

  it("is told so where something is gone: too many, another epoch, a place ahead", async () => {
    const client = await start(backend, [{ match: "room/*", historyMessages: 2 }]);
    for (const payload of [1, 2, 3, 4]) await client.request({ action: "publish", topic: TOPIC, payload });
    const { epoch } = await client.request({ action: "history", topic: TOPIC, last: 1 });
    const recover = async (since: object) => {
      const { recovered, messages, seq } = await client.request({ action: "history", topic: TOPIC, since });
      return [recovered, seq, messages.length];
    };
    expect(await recover({ epoch, seq: 2 })).toEqual([true, 4, 2]);
    expect(await recover({ epoch, seq: 1 })).toEqual([false, 4, 0]);
    expect(await recover({ epoch: "other", seq: 4 })).toEqual([false, 4, 0]);
    expect(await recover({ epoch, seq: 5 })).toEqual([false, 4, 0]);
    const subscribed = await client.request({ action: "subscribe", topic: TOPIC, since: { epoch, seq: 0 } });
    expect(subscribed).toMatchObject({ type: "ack", seq: 4, recovered: false, messages: [] });
  });

  it("gets pages that fit a frame", async () => {
    const client = await start(backend);
    const payload = "ä".repeat(15 * KB);
    for (let i = 0; i < 6; i++) expect((await post(`/topics/${TOPIC}/messages`, { payload })).status).toBe(202);
    const { epoch } = await client.request({ action: "history", topic: TOPIC, last: 1 });
    const pages: Frame[] = [];
    for (let since = { epoch, seq: 0 }; pages.at(-1)?.more !== false; ) {
      const page = await client.request({ action: "history", topic: TOPIC, since });
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(128 * KB);
      expect(page.messages.length).toBeGreaterThan(0);
      pages.push(page);
      since = { epoch, seq: page.messages.at(-1).seq };
    }
    expect(pages.map(seqsOf)).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    const newest = await client.request({ action: "subscribe", topic: TOPIC, last: 6 });
    expect(seqsOf(newest)).toEqual([3, 4, 5, 6]);
  });

  it("learns by a ping which of its topics have something newer", async () => {
    const client = await start(backend);
    const topics = ["a", "b", "c"];
    const acks = await Promise.all(topics.map((topic) => client.request({ action: "publish", topic, payload: 1 })));
    const places = Object.fromEntries(acks.map(({ topic, epoch, seq }) => [topic, { epoch, seq }]));
    const behindOf = async () => (await client.request({ action: "ping", places })).behind;
    expect(await behindOf()).toEqual([]);
    await client.request({ action: "publish", topic: "b", payload: 2 });
    expect(await behindOf()).toEqual(["b"]);
    await ask("/topics/c", { method: "DELETE" });
    expect(await behindOf()).toEqual(["b", "c"]);
    expect(await client.request({ action: "ping" })).not.toHaveProperty("behind");
  });
});

describe.each(BACKENDS)("a publish with a key: %s", (_, backend) => {
  it("is applied once, and its repeat gets the first answer, whatever it brings", async () => {
    const alice = await start(backend);
    await alice.request({ action: "subscribe", topic: TOPIC });
    const publish = { action: "publish", topic: TOPIC, payload: "first", key: "k1" };
    const first = await alice.request(publish);
    const again = await alice.request({ ...publish, payload: "second" });
    expect([again.epoch, again.seq]).toEqual([first.epoch, 1]);
    expect(await alice.request({ ...publish, key: "k2", payload: "third" })).toMatchObject({ seq: 2 });
    const bob = await connectRawClient(host.wsUrl);
    expect(await bob.request({ ...publish, payload: "bob's" })).toMatchObject({ seq: 3 });
    const history = await alice.request({ action: "history", topic: TOPIC, last: 10 });
    expect(payloadsOf(history)).toEqual(["first", "third", "bob's"]);
    expect(history.messages.map(({ key }: Frame) => key)).toEqual(["k1", "k2", "k1"]);
  });

  it("over HTTP, in the body or a header", async () => {
    await start(backend);
    const path = `/topics/${TOPIC}/messages`;
    const first = await post(path, { payload: 1 }, { "idempotency-key": "k" });
    expect(first).toMatchObject({ status: 202, body: { seq: 1 } });
    expect((await post(path, { payload: 2, key: "k" })).body).toEqual(first.body);
    const both = await post(path, { payload: 2, key: "k" }, { "idempotency-key": "other" });
    expect(both).toMatchObject({ status: 400, body: { code: "bad_request" } });
    const many = [1, 2, 3].map((payload) => ({ topic: TOPIC, payload, key: payload === 3 ? "n" : "m" }));
    const { body } = await post("/messages", { messages: many });
    expect(body.results.map(({ seq }: Frame) => seq)).toEqual([2, 2, 3]);
  });

  it("that is ephemeral is delivered once", async () => {
    const alice = await start(backend);
    await alice.request({ action: "subscribe", topic: TOPIC });
    const publish = { action: "publish", topic: TOPIC, ephemeral: true, key: "k" };
    for (const payload of [1, 2]) {
      const ack = await alice.request({ ...publish, payload });
      expect(ack).not.toHaveProperty("seq");
    }
    await alice.request({ ...publish, payload: 3, key: "other" });
    const frames = await alice.count(2, isMessages);
    expect(frames.map(payloadsOf)).toEqual([[1], [3]]);
  });
});

describe.each(BACKENDS)("DELETE of a topic: %s", (_, backend) => {
  it.each(["16", "0"])("tells its subscribers, and begins anew: FANOUT_INLINE_MAX=%s", async (inlineMax) => {
    host = await startTopicHost({ ...backend, environment: { FANOUT_INLINE_MAX: inlineMax } });
    const [alice, bob] = await Promise.all([connectRawClient(host.wsUrl), connectRawClient(host.wsUrl)]);
    for (const client of [alice, bob]) await client.request({ action: "subscribe", topic: TOPIC });
    const { epoch } = await alice.request({ action: "publish", topic: TOPIC, payload: "old" });
    await bob.count(1, isMessages);
    expect((await ask(`/topics/${TOPIC}`, { method: "DELETE" })).status).toBe(204);
    for (const client of [alice, bob]) {
      const closing = await client.frame(({ type }) => type === "closing");
      expect(closing).toEqual({ type: "closing", topic: TOPIC, reason: "deleted", reconnect: true });
    }
    const ack = await alice.request({ action: "subscribe", topic: TOPIC, since: { epoch, seq: 1 } });
    expect(ack).toMatchObject({ recovered: false, seq: 0, messages: [] });
    expect(ack.epoch).not.toBe(epoch);
    await alice.request({ action: "publish", topic: TOPIC, payload: "new" });
    const [, fresh] = await alice.count(2, isMessages);
    expect(fresh).toMatchObject({ epoch: ack.epoch, messages: [{ seq: 1, payload: "new" }] });
    // Bob did not come back.
    expect(bob.frames.filter(isMessages)).toHaveLength(1);
  });

  it("does nothing to a topic that isn't there, and refuses what is none", async () => {
    const client = await start(backend);
    expect((await ask("/topics/nowhere", { method: "DELETE" })).status).toBe(204);
    expect(await ask("/topics/a//b", { method: "DELETE" })).toMatchObject({
      status: 400,
      body: { code: "invalid_topic" },
    });
    expect(await client.request({ action: "publish", topic: "nowhere", payload: 1 })).toMatchObject({ seq: 1 });
  });
});

describe("a topic's rule", () => {
  it("makes it ephemeral where the publisher doesn't say otherwise", async () => {
    const client = await start({}, [{ match: "pos/*", ephemeral: true }]);
    await client.request({ action: "subscribe", topic: "pos/1" });
    const publish = { action: "publish", topic: "pos/1", payload: 1 };
    expect(await client.request(publish)).not.toHaveProperty("seq");
    expect(await client.request({ ...publish, ephemeral: false })).toMatchObject({ seq: 1 });
    expect(await client.request({ ...publish, topic: "other" })).toMatchObject({ seq: 1 });
  });

  it("bounds its payloads, over WebSocket and HTTP", async () => {
    const client = await start({}, [{ match: "pos/*", maxPayloadBytes: 10 }]);
    const fault = { code: "payload_too_large", limit: 10 };
    const publish = { action: "publish", topic: "pos/1", payloads: ["12345678", "ü2345678"] };
    expect(await client.request(publish)).toMatchObject({ type: "error", ...fault });
    expect(await client.request({ ...publish, payloads: ["12345678"] })).toMatchObject({ seq: 1 });
    expect(await post("/topics/pos/1/messages", { payload: "123456789" })).toMatchObject({ status: 413, body: fault });
    const { body } = await post("/messages", { messages: [{ topic: "pos/1", payload: "123456789" }] });
    expect(body.results).toMatchObject([{ topic: "pos/1", error: fault }]);
  });

  it("stops the start with the place of its fault", async () => {
    const starting = startTopicHost({
      environment: { TOPIC_RULES: '[{"match":"a"},{"match":"b","historySecond":1}]' },
    });
    await expect(starting).rejects.toThrow("TOPIC_RULES[1].historySecond is no part of a rule");
    await start();
  });
});
