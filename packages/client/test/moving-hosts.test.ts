import { join } from "node:path";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { connect, type Message } from "@topicast/client";
import { type Host, startHost } from "@topicast/local";
import { type RedisServer, startRedisServer } from "@topicast/testing";
import WebSocket from "ws";

// The first start builds the service's bundles.
jest.setTimeout(60_000);

const MESSAGE_TOPIC = join(__dirname, "../../../services/message-topic");

let redis: RedisServer;
let first: Host;
let second: Host;
beforeAll(async () => {
  redis = await startRedisServer();
  const environment = { STORE: "redis", REDIS_URL: redis.url, POWERTOOLS_LOG_LEVEL: "SILENT" };
  const start = () => startHost({ services: [MESSAGE_TOPIC], port: 0, environment, log: () => {} });
  first = await start();
  second = await start();
});
afterAll(async () => {
  await Promise.all([first.close(), second.close()]);
  await redis.stop();
});

it("goes from a host that stops to another one on the same Redis, and has every message once and in order", async () => {
  let host = first;
  /** Leads to whichever host is the one now, as a name or a proxy would. */
  class Routed extends WebSocket {
    constructor(url: string) {
      super(url.replace("host.test", `127.0.0.1:${host.port}`));
    }
  }
  const cast = connect("ws://host.test/message-topic", { WebSocket: Routed });
  const room = cast.topic<number>("room/1");
  const subscribed = new Promise<void>((resolve) => void room.on("subscribed", resolve));
  const messages: Message<number>[] = [];
  let onMessage = () => {};
  room.on("message", (message) => {
    messages.push(message);
    onMessage();
  });
  const lost: unknown[] = [];
  room.on("lost", (gap) => lost.push(gap));

  const last = 60;
  let onHalf = () => {};
  const half = new Promise<void>((resolve) => {
    onHalf = resolve;
  });
  /** A backend that publishes by the second host all the while. */
  async function publishAll(): Promise<void> {
    const url = `${second.url}/message-topic/topics/room/1/messages`;
    for (let payload = 1; payload <= last; payload += 1) {
      const { status } = await fetch(url, { method: "POST", body: JSON.stringify({ payload }) });
      expect(status).toBe(202);
      if (payload === last / 2) onHalf();
    }
  }
  await subscribed;
  const publishing = publishAll();
  await half;
  host = second;
  await first.close();
  await publishing;
  await new Promise<void>((resolve) => {
    onMessage = () => messages.at(-1)?.payload === last && resolve();
    onMessage();
  });
  expect(messages.map(({ payload }) => payload)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
  expect(lost).toEqual([]);
  cast.close();
});
