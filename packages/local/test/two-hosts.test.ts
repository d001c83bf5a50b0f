import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  connectRawClient,
  type RawClient,
  type RedisServer,
  startRedisCluster,
  startRedisServer,
} from "@topicast/testing";
import type { Host } from "../src/index.ts";
import { startOnRedis, webSocketUrl } from "./hosts-on-redis.ts";

// The first start builds the services' bundles.
jest.setTimeout(60_000);

let redis: RedisServer;
let here: Host;
let there: Host;
beforeAll(async () => {
  redis = await startRedisServer({ appendOnly: true });
});
beforeEach(async () => {
  here = await startOnRedis(redis.url);
  there = await startOnRedis(redis.url);
});
afterEach(() => Promise.all([here.close(), there.close()]));
afterAll(() => redis.stop());

async function subscriber(host: Host, topic = "room/1", since?: object): Promise<RawClient> {
  const client = await connectRawClient(webSocketUrl(host, "message-topic"));
  expect(await client.request({ action: "subscribe", topic, ...(since && { since }) })).toMatchObject({ type: "ack" });
  return client;
}

async function publish(host: Host, payload: unknown, topic = "room/1"): Promise<{ epoch: string; seq: number }> {
  const url = `${host.url}/message-topic/topics/${topic}/messages`;
  const response = await fetch(url, { method: "POST", body: JSON.stringify({ payload }) });
  expect(response.status).toBe(202);
  return (await response.json()) as { epoch: string; seq: number };
}

const message = (payload: unknown) => (frame: { messages?: readonly { payload: unknown }[] }) =>
  frame.messages?.some((each) => each.payload === payload) ?? false;

async function subscribersOf(host: Host, topic: string): Promise<number> {
  const response = await fetch(`${host.url}/message-topic/topics/${topic}`);
  return ((await response.json()) as { subscribers: number }).subscribers;
}

describe("two hosts on one Redis", () => {
  it.each([
    ["by who publishes", "16"],
    ["by workers", "0"],
  ])("have the same topics, posted %s", async (_who, FANOUT_INLINE_MAX) => {
    for (const host of [here, there])
      await host.reload({ environment: { FANOUT_INLINE_MAX, STORE: "redis", REDIS_URL: redis.url } });
    const [mine, yours] = [await subscriber(here, "a/1"), await subscriber(there, "a/1")];
    await mine.request({ action: "publish", topic: "a/1", payload: "from here" });
    await yours.request({ action: "publish", topic: "a/1", payload: "from there" });
    for (const client of [mine, yours]) {
      await client.frame(message("from here"));
      await client.frame(message("from there"));
    }
    expect(await subscribersOf(here, "a/1")).toBe(2);
  });

  it("have the same rooms", async () => {
    const url = (host: Host) => `${webSocketUrl(host, "message-broadcast")}?room_id=jam`;
    const [mine, yours] = [await connectRawClient(url(here)), await connectRawClient(url(there))];
    mine.send("hi from here");
    yours.send("hi from there");
    for (const client of [mine, yours]) {
      await client.frame(({ data }) => data === "hi from here");
      await client.frame(({ data }) => data === "hi from there");
    }
  });

  it("post to, look at and close one another's connections", async () => {
    const client = await connectRawClient(webSocketUrl(there, "message-topic"));
    const { connectionId } = await client.request({ action: "ping" });
    const url = `${here.url}/message-topic/connections/${encodeURIComponent(connectionId)}`;
    expect((await fetch(`${url}/messages`, { method: "POST", body: '{"payload":"psst"}' })).status).toBe(202);
    await client.frame(({ type, payload }) => type === "direct" && payload === "psst");
    const look = await fetch(url);
    expect([look.status, await look.json()]).toEqual([200, expect.objectContaining({ connectionId })]);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204);
    await client.closed;
    expect((await fetch(url)).status).toBe(404);
  });

  it("forget the connections of one that stops", async () => {
    await subscriber(here, "b/1");
    const yours = await subscriber(there, "b/1");
    await there.close();
    expect(await yours.closed).toMatchObject({ code: 1001 });
    expect(await subscribersOf(here, "b/1")).toBe(1);
    there = await startOnRedis(redis.url);
  });

  it("give who comes from one to the other what it missed", async () => {
    const { epoch, seq } = await publish(here, 1);
    const mine = await subscriber(here);
    mine.vanish();
    await publish(here, 2);
    await publish(there, 3);
    const client = await connectRawClient(webSocketUrl(there, "message-topic"));
    const ack = await client.request({ action: "subscribe", topic: "room/1", since: { epoch, seq } });
    expect(ack.recovered).toBe(true);
    expect(ack.messages.map(({ payload }: { payload: unknown }) => payload)).toEqual([2, 3]);
  });

  it("answer unavailable while Redis is away, and go on when it is back", async () => {
    const mine = await subscriber(here, "c/1");
    const yours = await subscriber(there, "c/1");
    await redis.kill();
    const refused = await mine.request({ action: "publish", topic: "c/1", payload: "lost" });
    expect(refused).toMatchObject({ type: "error", code: "unavailable" });
    expect((await fetch(`${here.url}/message-topic/health`)).status).toBe(503);
    await redis.start();
    // The first may meet a client that waits before it connects again.
    let answer = refused;
    while (answer.type === "error") answer = await mine.request({ action: "publish", topic: "c/1", payload: "kept" });
    for (const client of [mine, yours]) await client.frame(message("kept"));
  });
});

it("two hosts share a cluster of Redis as well", async () => {
  const cluster = await startRedisCluster();
  const hosts = [await startOnRedis(cluster.url), await startOnRedis(cluster.url)] as const;
  const [mine, yours] = [await subscriber(hosts[0]), await subscriber(hosts[1])];
  await publish(hosts[0], "from a backend");
  await yours.request({ action: "publish", topic: "room/1", payload: "from a client" });
  for (const client of [mine, yours]) {
    await client.frame(message("from a backend"));
    await client.frame(message("from a client"));
  }
  await Promise.all(hosts.map((host) => host.close()));
  await cluster.stop();
});
