import { spawnSync } from "node:child_process";
import { afterEach, expect, it, jest } from "@jest/globals";
import { aKeyPrefix, startRedisCluster, startRedisServer } from "@topicast/testing";
import { callRedis } from "../src/drivers/redis/call.ts";
import { connectRedis } from "../src/drivers/redis.ts";

/** A cluster takes some seconds to agree, and another Node starts. */
jest.setTimeout(60_000);

/** Ends every client's connection to the servers at these ports, and waits until that is done. */
const END_CONNECTIONS = `
for (const port of process.argv.slice(1)) {
  const socket = require("node:net").connect(port, "127.0.0.1");
  socket.end("CLIENT KILL TYPE normal SKIPME yes\\r\\n").resume();
}`;

/** While this process stands still, so that it learns of nothing: as a frozen Lambda, whose server closes what was idle for too long. */
function freezeWhileServersClose(ports: readonly number[]): void {
  const { status, stderr } = spawnSync(process.execPath, ["-e", END_CONNECTIONS, ...ports.map(String)]);
  if (status !== 0) throw new Error(String(stderr));
}

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

async function startServer() {
  const server = await startRedisServer();
  return { url: server.url, ports: [server.port], stop: server.stop };
}

async function startMasters() {
  const cluster = await startRedisCluster();
  return { url: cluster.url, ports: cluster.masters.map(({ port }) => port), stop: cluster.stop };
}

it.each([
  ["a server", startServer],
  ["a cluster", startMasters],
])("the first commands after a thaw, on connections that %s has closed, are done once each", async (_, start) => {
  const server = await start();
  stop = server.stop;
  const redis = connectRedis(server.url, { keyPrefix: aKeyPrefix() });
  const keys = Array.from({ length: 20 }, (__, i) => `key-${i}`);
  const incrementAll = () => Promise.all(keys.map((key) => callRedis(redis, () => redis.incr(key))));
  expect(await incrementAll()).toEqual(keys.map(() => 1));

  freezeWhileServersClose(server.ports);
  expect(await incrementAll()).toEqual(keys.map(() => 2));
  await redis.quit();
});
