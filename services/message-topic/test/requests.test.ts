import { afterEach, describe, expect, it } from "@jest/globals";
import { UnavailableError } from "@topicast/core";
import type { HostOptions } from "@topicast/local";
import { connectRawClient, type Frame } from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

let host: TopicHost;
afterEach(() => host.close());

async function start(options: Partial<HostOptions> = {}) {
  host = await startTopicHost(options);
  return connectRawClient(host.wsUrl);
}

const isMessages = ({ type }: Frame) => type === "messages";
const ID = /^[A-Za-z0-9_-]{15}=$/;

describe("what a client sends", () => {
  it.each([
    ["not JSON", "hello", { code: "bad_request" }],
    ["a JSON array", "[]", { code: "bad_request" }],
    ["no action", "{}", { code: "bad_request", message: "`action` is missing." }],
    ["an action of the wrong type", '{"action":7}', { code: "bad_request", message: "`action` must be a string." }],
    ["an unknown action", '{"action":"shout","id":"a"}', { code: "unknown_action", id: "a" }],
    ["no topic", '{"action":"subscribe","id":"a"}', { code: "bad_request", id: "a", action: "subscribe" }],
    ["a topic too long", { action: "subscribe", topic: "x".repeat(201) }, { code: "invalid_topic" }],
    ["a topic not in NFC", { action: "subscribe", topic: "re\u0301sume\u0301" }, { code: "invalid_topic" }],
    ["no payload", { action: "publish", topic: "t", id: "a" }, { code: "bad_request", topic: "t", id: "a" }],
    [
      "echo without id",
      { action: "publish", topic: "t", payload: 1, echo: false },
      { code: "bad_request", topic: "t" },
    ],
    ["history of what", { action: "history", topic: "t", id: "a" }, { code: "bad_request", topic: "t", id: "a" }],
    ["presence, later", { action: "subscribe", topic: "t", presence: {} }, { code: "bad_request", topic: "t" }],
    [
      "a payload too large as it is sent on",
      `{"action":"publish","topic":"t","payload":[${"1e20,".repeat(5_000)}1]}`,
      { code: "payload_too_large", limit: 32_768 },
    ],
  ])("%s is refused", async (_, message, error) => {
    const client = await start();
    client.send(message);
    expect(await client.frame(() => true)).toMatchObject({ type: "error", message: expect.any(String), ...error });
  });

  it.each(["$connect", "$disconnect"])("{action: %s} is refused and changes nothing", async (action) => {
    const client = await start();
    await client.request({ action: "subscribe", topic: "room/1" });
    client.send({ action });
    expect(await client.frame(({ type }) => type === "error")).toMatchObject({ code: "unknown_action" });
    await client.request({ action: "publish", topic: "room/1", payload: "still here" });
    await client.count(1, isMessages);
  });

  it("ping answers who one is", async () => {
    const client = await start();
    const pong = await client.request({ action: "ping" });
    expect(pong).toEqual({
      type: "pong",
      id: pong.id,
      time: expect.any(Number),
      connectionId: expect.stringMatching(ID),
      you: pong.connectionId,
    });
  });

  it("publish without id is answered only where it fails", async () => {
    const client = await start();
    await client.request({ action: "subscribe", topic: "room/1" });
    client.send({ action: "publish", topic: "room/1", payload: null });
    await client.count(1, isMessages);
    await client.request({ action: "ping" });
    expect(client.frames.map(({ type }) => type)).toEqual(["ack", "messages", "pong"]);
  });

  it("publish to an empty topic is acknowledged", async () => {
    const client = await start();
    expect(await client.request({ action: "publish", topic: "nobody", payload: 1 })).toMatchObject({
      type: "ack",
      seq: 1,
    });
    expect(await client.request({ action: "publish", topic: "nobody", payload: 2 })).toMatchObject({
      type: "ack",
      seq: 2,
    });
  });

  it("a batch arrives as one frame, its ack has the last place", async () => {
    const client = await start();
    const { epoch } = await client.request({ action: "subscribe", topic: "room/1" });
    const ack = await client.request({ action: "publish", topic: "room/1", payloads: ["a", { b: [null] }, 3] });
    expect(ack).toMatchObject({ epoch, seq: 3 });
    const [frame] = await client.count(1, isMessages);
    expect(frame.messages.map(({ seq, payload }: Frame) => [seq, payload])).toEqual([
      [1, "a"],
      [2, { b: [null] }],
      [3, 3],
    ]);
  });

  it.each([{ ephemeral: true }, { latest: "pos" }])("%j has no number", async (fields) => {
    const client = await start();
    await client.request({ action: "subscribe", topic: "room/1" });
    const ack = await client.request({ action: "publish", topic: "room/1", payload: { x: 1 }, ...fields });
    expect(ack).toEqual({ type: "ack", id: ack.id, action: "publish", topic: "room/1" });
    const [frame] = await client.count(1, isMessages);
    expect(frame).toEqual({
      type: "messages",
      topic: "room/1",
      messages: [{ payload: { x: 1 }, from: expect.any(String), time: expect.any(Number) }],
    });
    expect(await client.request({ action: "publish", topic: "room/1", payload: 1 })).toMatchObject({ seq: 1 });
  });

  it("echo: false leaves the sender out", async () => {
    const alice = await start();
    const bob = await connectRawClient(host.wsUrl);
    await alice.request({ action: "subscribe", topic: "room/1" });
    await bob.request({ action: "subscribe", topic: "room/1" });
    await alice.request({ action: "publish", topic: "room/1", payload: "others", echo: false });
    await alice.request({ action: "publish", topic: "room/1", payload: "all" });
    await bob.count(2, isMessages);
    const payloads = (await alice.count(1, isMessages)).map(({ messages }) => messages[0].payload);
    expect(payloads).toEqual(["all"]);
  });

  it("subscribing twice is the same as once", async () => {
    const client = await start();
    const first = await client.request({ action: "subscribe", topic: "room/1" });
    const second = await client.request({ action: "subscribe", topic: "room/1" });
    expect(second).toEqual({ ...first, id: second.id });
    await client.request({ action: "publish", topic: "room/1", payload: 1 });
    await client.request({ action: "ping" });
    expect(client.frames.filter(isMessages)).toHaveLength(1);
  });

  it("unsubscribing ends it, and without a subscription does nothing", async () => {
    const client = await start();
    expect(await client.request({ action: "unsubscribe", topic: "room/1" })).toMatchObject({ type: "ack" });
    await client.request({ action: "subscribe", topic: "room/1" });
    expect(await client.request({ action: "unsubscribe", topic: "room/1" })).toMatchObject({
      type: "ack",
      topic: "room/1",
    });
    await client.request({ action: "publish", topic: "room/1", payload: 1 });
    await client.request({ action: "ping" });
    expect(client.frames.filter(isMessages)).toEqual([]);
  });

  it("one topic too many is refused with the limit", async () => {
    const client = await start({ environment: { SUBSCRIPTIONS_MAX: "1" } });
    await client.request({ action: "subscribe", topic: "room/1" });
    const error = await client.request({ action: "subscribe", topic: "room/2" });
    expect(error).toMatchObject({ type: "error", code: "too_many_subscriptions", limit: 1, topic: "room/2" });
  });
});

describe("?client=", () => {
  const SECRET = "0123456789abcdef";

  it("gives an identity that survives a reconnect and does not give the secret away", async () => {
    const first = await start().then(() => connectRawClient(`${host.wsUrl}?client=${SECRET}`));
    const { you } = await first.request({ action: "subscribe", topic: "room/1" });
    expect(you).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(you).not.toBe(SECRET);
    await first.close();
    const second = await connectRawClient(`${host.wsUrl}?client=${SECRET}`);
    expect((await second.request({ action: "ping" })).you).toBe(you);
    await second.request({ action: "subscribe", topic: "room/1" });
    await second.request({ action: "publish", topic: "room/1", payload: 1 });
    const [frame] = await second.count(1, isMessages);
    expect(frame.messages[0].from).toBe(you);
  });

  it("is refused where it is too short to be secret", async () => {
    await start();
    await expect(connectRawClient(`${host.wsUrl}?client=short`)).rejects.toThrow("400");
  });
});

describe("when something fails", () => {
  it("a store that throttles is said to be unavailable, and the client may try again", async () => {
    let failing = true;
    const client = await start({
      ports: (ports) => ({
        ...ports,
        log: {
          ...ports.log,
          append: (...call) =>
            failing ? Promise.reject(new UnavailableError("store", "throttled")) : ports.log.append(...call),
        },
      }),
    });
    const publish = { action: "publish", topic: "room/1", payload: 1 };
    expect(await client.request(publish)).toMatchObject({ type: "error", code: "unavailable", action: "publish" });
    failing = false;
    expect(await client.request(publish)).toMatchObject({ type: "ack" });
  });

  it("a queue that refuses is said to be unavailable", async () => {
    const client = await start({
      environment: { FANOUT_INLINE_MAX: "0" },
      ports: (ports) => ({
        ...ports,
        queue: { ...ports.queue, send: () => Promise.reject(new UnavailableError("queue", "refused")) },
      }),
    });
    await client.request({ action: "subscribe", topic: "room/1" });
    const error = await client.request({ action: "publish", topic: "room/1", payload: 1 });
    expect(error).toMatchObject({ type: "error", code: "unavailable" });
  });
});
