import { afterEach, describe, expect, it, jest } from "@jest/globals";
import {
  aConnection,
  anApplication,
  aTopic,
  createCuttableNetwork,
  type RedisServer,
  startRedisCluster,
  startRedisServer,
} from "@topicast/testing";
import {
  connectRedis,
  createRedisAppStore,
  createRedisConnectionStore,
  createRedisTopicLog,
  type Redis,
} from "../src/drivers/redis.ts";
import { DEFAULT_APP, systemClock } from "../src/index.ts";
import { startPublishers } from "./redis-publishers.ts";

/** Real servers, which need seconds to notice that another has gone. */
jest.setTimeout(60_000);

const UNAVAILABLE = { name: "UnavailableError", part: "store" };
const RETENTION = { maxMessages: 100, maxAgeMs: 60_000 };
const topic = aTopic();

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function startServer(...options: Parameters<typeof startRedisServer>): Promise<RedisServer> {
  const server = await startRedisServer(...options);
  endings.push(() => server.stop());
  return server;
}

function open(url: string): Redis {
  const redis = connectRedis(url);
  endings.push(() => redis.disconnect());
  return redis;
}

function driversOf(redis: Redis) {
  const parts = { redis, clock: systemClock };
  return {
    log: createRedisTopicLog(parts),
    connections: createRedisConnectionStore(parts),
    apps: createRedisAppStore(parts),
  };
}

type Drivers = ReturnType<typeof driversOf>;

function append({ log }: Drivers, text: string) {
  const key = { sender: "publisher", value: text };
  return log.append(DEFAULT_APP, topic, { payloads: [text], time: Date.now(), key }, RETENTION);
}

async function payloadsOf({ log }: Drivers) {
  const { messages } = await log.readLatest(DEFAULT_APP, topic, { limit: 100, retention: RETENTION });
  return messages.map(({ payload }) => payload);
}

function topicsNamed(count: number) {
  return Array.from({ length: count }, (_, i) => aTopic(`topic-${i}`));
}

describe("a server", () => {
  it("restarts under load, and nothing that was acknowledged is lost or there twice", async () => {
    const server = await startServer({ appendOnly: true });
    const { log, connections } = driversOf(open(server.url));
    const guest = aConnection({ connectedAt: Date.now(), room: topic });
    await connections.connect(guest);
    const publishers = startPublishers(log, topicsNamed(8));
    for (let restarts = 0; restarts < 2; restarts++) {
      await publishers.untilEachHas(10);
      await server.kill();
      await publishers.untilOneFails();
      await server.start();
    }
    await publishers.untilEachHas(10);
    await publishers.stop();
    expect(await publishers.missing()).toEqual([]);
    const query = { app: DEFAULT_APP, topic, limit: 10, freshness: "fresh" } as const;
    expect((await connections.subscribers(query)).subscribers.map(({ id }) => id)).toEqual([guest.id]);
  });

  it("is unavailable while it hangs, and does once what was sent to it meanwhile", async () => {
    const server = await startServer();
    const drivers = driversOf(open(server.url));
    await append(drivers, "before");
    server.pause();
    const sent = append(drivers, "meanwhile");
    await expect(sent).rejects.toMatchObject(UNAVAILABLE);
    await expect(sent).rejects.toThrow(`127.0.0.1:${server.port}`);
    server.resume();
    await append(drivers, "meanwhile");
    await append(drivers, "after");
    expect(await payloadsOf(drivers)).toEqual(["before", "meanwhile", "after"]);
  });

  it("gets each call that found it hanging twice at most, however long that took", async () => {
    const server = await startServer();
    const drivers = driversOf(open(server.url));
    await append(drivers, "before");
    server.pause();
    for (let round = 0; round < 2; round++) {
      const calls = Array.from({ length: 10 }, (_, i) => append(drivers, `${round}.${i}`));
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
    }
    server.resume();
    await append(drivers, "after");
    const stats = await open(server.url).info("commandstats");
    const scripts = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
    expect(scripts).toBeLessThanOrEqual(2 * 20 + 4);
  });

  it("is reached by another connection when one hangs", async () => {
    const server = await startServer();
    const network = await createCuttableNetwork(server.port);
    endings.push(() => network.close());
    const drivers = driversOf(open(`redis://127.0.0.1:${network.port}`));
    await append(drivers, "before");
    network.silence();
    // As does the first command after a thaw, whose connection is gone on the other side.
    await append(drivers, "meanwhile");
    expect(await payloadsOf(drivers)).toEqual(["before", "meanwhile"]);
  });

  it("can't be reached for another reason than before", async () => {
    const server = await startServer();
    const network = await createCuttableNetwork(server.port);
    endings.push(() => network.close());
    const drivers = driversOf(open(`redis://127.0.0.1:${network.port}`));
    await append(drivers, "before");
    network.silence();
    await append(drivers, "meanwhile");
    network.cut();
    // Its connections are closed, and the one before timed out.
    await expect(append(drivers, "after")).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(/ can't be reached: (Connection is closed|read ECONNRESET)\. Try again\.$/),
    });
  });

  it("closes a connection, and the next call makes another", async () => {
    const server = await startServer();
    const redis = open(server.url);
    const drivers = driversOf(redis);
    await append(drivers, "before");
    await open(server.url).call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await append(drivers, "after");
    expect(await payloadsOf(drivers)).toEqual(["before", "after"]);
  });

  it("forgets its scripts under load, and nobody notices", async () => {
    const server = await startServer();
    const publishers = startPublishers(driversOf(open(server.url)).log, topicsNamed(4));
    const operator = open(server.url);
    for (let flushes = 0; flushes < 5; flushes++) {
      await publishers.untilEachHas(5);
      await operator.script("FLUSH");
    }
    await publishers.untilEachHas(5);
    await publishers.stop();
    expect(publishers.failures).toBe(0);
    expect(await publishers.missing()).toEqual([]);
  });

  it("is unavailable for writes while its memory is full, and has nothing half done", async () => {
    const server = await startServer({ settings: ["--maxmemory-policy", "noeviction"] });
    const drivers = driversOf(open(server.url));
    const operator = open(server.url);
    const [guest, late] = [aConnection({ connectedAt: Date.now(), room: topic }), aConnection({ room: topic })];
    await drivers.connections.connect(guest);
    await append(drivers, "before");
    await operator.config("SET", "maxmemory", "1");

    const full = { ...UNAVAILABLE, message: expect.stringContaining("OOM") };
    await expect(append(drivers, "meanwhile")).rejects.toMatchObject(full);
    await expect(drivers.connections.connect(late)).rejects.toMatchObject(full);
    await expect(drivers.apps.create(anApplication())).rejects.toMatchObject(full);
    expect(await payloadsOf(drivers)).toEqual(["before"]);
    expect(await drivers.connections.get(DEFAULT_APP, guest.id, "fresh")).toMatchObject({ id: guest.id });

    await operator.config("SET", "maxmemory", "0");
    await append(drivers, "meanwhile");
    await drivers.connections.connect({ ...late, connectedAt: Date.now() });
    expect(await payloadsOf(drivers)).toEqual(["before", "meanwhile"]);
    expect((await drivers.apps.list({ limit: 10 })).applications).toEqual([]);
  });

  it("becomes a replica, and is connected to anew until it is none", async () => {
    const [server, other] = [await startServer(), await startServer()];
    const drivers = driversOf(open(server.url));
    await append(drivers, "before");
    const operator = open(server.url);
    await operator.replicaof("127.0.0.1", other.port);
    await expect(append(drivers, "meanwhile")).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("READONLY"),
    });
    await operator.replicaof("NO", "ONE");
    await append(drivers, "meanwhile");
    const connections = /total_connections_received:(\d+)/.exec(await operator.info("stats"))?.[1];
    expect(Number(connections)).toBeLessThan(10);
  });

  it("has one connection of a process, however much that asks at once", async () => {
    const server = await startServer();
    const { log } = driversOf(open(server.url));
    await Promise.all(topicsNamed(500).map((each) => log.place(DEFAULT_APP, each)));
    const clients = String(await open(server.url).client("LIST"))
      .trim()
      .split("\n");
    // The second is who asks.
    expect(clients).toHaveLength(2);
  });

  it.each([
    ["a wrong one", ":wrong@", "refused the password: WRONGPASS"],
    ["none", "", "wants a password: "],
  ])("that wants a password is unavailable to who has %s, and the error doesn't tell it", async (_, given, says) => {
    const server = await startServer({ password: "hunter2" });
    await append(driversOf(open(server.url)), "before");
    const error = await append(driversOf(open(`redis://${given}127.0.0.1:${server.port}`)), "meanwhile").catch(
      (error: Error) => error,
    );
    const message = expect.stringContaining(`Redis at 127.0.0.1:${server.port} ${says}`);
    expect(error).toMatchObject({ ...UNAVAILABLE, message });
    expect(String((error as Error).stack)).not.toMatch(/hunter2|:wrong/);
  });

  it("is unavailable where nobody listens, and once it is there isn't", async () => {
    const server = await startServer();
    await server.kill();
    const drivers = driversOf(open(server.url));
    const address = `Redis at 127.0.0.1:${server.port} can't be reached: connect ECONNREFUSED`;
    for (let calls = 0; calls < 3; calls++) await expect(append(drivers, "early")).rejects.toThrow(address);
    await server.start();
    await append(drivers, "late");
    expect(await payloadsOf(drivers)).toEqual(["late"]);
  });
});

describe("a cluster", () => {
  it("loses a master under load, and nothing that its replica had", async () => {
    const cluster = await startRedisCluster({ nodeTimeoutMs: 2_000 });
    endings.push(() => cluster.stop());
    // Enough that each master has some.
    const publishers = startPublishers(driversOf(open(cluster.url)).log, topicsNamed(12));
    await publishers.untilEachHas(10);
    // What a replica hasn't got yet is what Redis itself may lose.
    await publishers.pause();
    const [master, replica] = [cluster.masters[0], cluster.replicas[0]] as [RedisServer, RedisServer];
    await untilInStep(open(master.url), open(replica.url));
    await master.kill();
    publishers.resume();
    await publishers.untilOneFails();
    await publishers.untilEachHas(10);
    await publishers.stop();
    expect(await publishers.missing()).toEqual([]);
  });

  it("is unavailable to who has a wrong password, and the error says which it is", async () => {
    const [one, other] = [await startServer({ password: "hunter2" }), await startServer({ password: "hunter2" })];
    const drivers = driversOf(open(`redis://:wrong@127.0.0.1:${one.port},127.0.0.1:${other.port}`));
    const addresses = `Redis at 127.0.0.1:${one.port}, 127.0.0.1:${other.port}`;
    await expect(append(drivers, "text")).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(new RegExp(`^${addresses} refused the password: WRONGPASS`)),
    });
  });
});

async function untilInStep(master: Redis, replica: Redis): Promise<void> {
  const offsetOf = async (redis: Redis) => /master_repl_offset:(\d+)/.exec(await redis.info("replication"))?.[1];
  while ((await offsetOf(master)) !== (await offsetOf(replica)));
}
