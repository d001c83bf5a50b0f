import { join } from "node:path";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { connectRedis, type Redis } from "@topicast/core/redis";
import { connectRawClient, type RedisServer, startRedisServer } from "@topicast/testing";
import { type Host, startHost } from "../src/index.ts";
import { webSocketUrl } from "./hosts-on-redis.ts";

// The first start builds the service's bundles.
jest.setTimeout(60_000);

let server: RedisServer;
let operator: Redis;
let host: Host;
beforeAll(async () => {
  server = await startRedisServer();
  operator = connectRedis(server.url);
  const services = [join(__dirname, "../../../services/message-topic")];
  host = await startHost({ services, port: 0, wire: {}, environment: settings(), log: () => {} });
});
afterAll(async () => {
  await host.close();
  operator.disconnect();
  await server.stop();
});

function settings(REDIS_URL = server.url) {
  return { STORE: "redis", REDIS_URL, POWERTOOLS_LOG_LEVEL: "SILENT" };
}

/** Ids of the connections that the host's functions have to Redis. */
async function connections(): Promise<string[]> {
  const own = String(await operator.call("CLIENT", "ID"));
  const list = String(await operator.call("CLIENT", "LIST"));
  return [...list.matchAll(/^id=(\d+) /gm)].map(([, id = ""]) => id).filter((id) => id !== own);
}

it("a reload with --aws ends the old handlers' connections to Redis, and one that fails ends none", async () => {
  const client = await connectRawClient(webSocketUrl(host, "message-topic"));
  const publish = (payload: number) => client.request({ action: "publish", topic: "room/1", payload });
  expect(await client.request({ action: "subscribe", topic: "room/1" })).toMatchObject({ type: "ack" });
  expect(await publish(1)).toMatchObject({ type: "ack" });
  const before = await connections();
  expect(before.length).toBeGreaterThan(0);

  await expect(host.reload({ environment: settings("http://127.0.0.1") })).rejects.toThrow("REDIS_URL");
  expect(await publish(2)).toMatchObject({ type: "ack" });
  expect(await connections()).toEqual(before);

  await host.reload({ environment: settings() });
  expect(await publish(3)).toMatchObject({ type: "ack" });
  await client.frame(({ messages }) => messages?.[0].payload === 3);
  let after = await connections();
  // Redis sees an end a moment later.
  while (after.some((id) => before.includes(id))) after = await connections();
  expect(after.length).toBeGreaterThan(0);
  expect(after.length).toBeLessThanOrEqual(before.length);
});
