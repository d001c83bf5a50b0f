import { fileURLToPath } from "node:url";
import type { Redis } from "@topicast/core/redis";
import { startHost } from "@topicast/local";
import { meterRedis } from "@topicast/testing/redis-meter";
import { startRedisServer } from "@topicast/testing/redis-server";
import { createTrips } from "@topicast/testing/trips";
import { quietCounts, type WireHost } from "../wire-counts.ts";
import type { Code } from "./bundled-code.ts";
import { ADDRESS, type Drivers } from "./cycle.ts";
import { ecpusOf, timesOf } from "./ecpus.ts";

const SERVICE = fileURLToPath(new URL("../../../../services/message-topic", import.meta.url));
/** Patient: a busy machine, or an emulator that many ask at once, is no fault. */
const ATTEMPT_TIMEOUT_MS = 20_000;
const QUIET_MS = 300;

/** What something took. */
export interface Taken {
  /** Round trips, one after the other. */
  readonly trips: number;
  /** Commands, or requests. */
  readonly requests: number;
  readonly readUnits?: number;
  readonly writeUnits?: number;
  /** Processing units of ElastiCache, see `ecpus.ts`. */
  readonly ecpus?: number;
}

export interface Store {
  readonly name: string;
  readonly drivers: Drivers;
  /** Runs something, with drivers whose calls are counted. */
  measure(run: (drivers: Drivers) => Promise<void>): Promise<Taken>;
  /** Of CPU time, since the server started; only where it is a server of the store's own. */
  readonly usedSeconds?: () => Promise<number>;
  close(): Promise<void>;
}

interface RedisStore extends Store {
  /** Of memory for what is kept. */
  usedBytes(): Promise<number>;
}

/** One server of its own on this machine. */
export async function openRedis(code: Code): Promise<RedisStore> {
  const server = await startRedisServer();
  const [redis, metered, ask] = Array.from({ length: 3 }, () =>
    code.connectRedis(server.url, { attemptTimeoutMs: ATTEMPT_TIMEOUT_MS }),
  ) as [Redis, Redis, Redis];
  const meter = meterRedis(metered);
  const meteredDrivers = redisDrivers(code, metered);
  async function figure(section: string, name: string): Promise<number> {
    const [, value] = new RegExp(`^${name}:([\\d.]+)`, "m").exec(String(await ask.call("INFO", section))) ?? [];
    return Number(value);
  }
  return {
    name: "Redis",
    drivers: redisDrivers(code, redis),
    async measure(run) {
      await ask.call("CONFIG", "RESETSTAT");
      const calls = await meter.measure(() => run(meteredDrivers));
      const times = timesOf(String(await ask.call("INFO", "commandstats")));
      return { trips: calls.at(-1)?.trip ?? 0, requests: calls.length, ecpus: ecpusOf(calls, times) };
    },
    usedBytes: () => figure("memory", "used_memory"),
    usedSeconds: async () => (await figure("cpu", "used_cpu_user")) + (await figure("cpu", "used_cpu_sys")),
    async close() {
      for (const each of [redis, metered, ask]) each.disconnect();
      await server.stop();
    },
  };
}

function redisDrivers(code: Code, redis: Redis): Drivers {
  const shared = { redis, clock: code.systemClock };
  return {
    connections: code.createRedisConnectionStore({ ...shared, address: ADDRESS }),
    log: code.createRedisTopicLog(shared),
  };
}

/** As dynalite has it, whose units are DynamoDB's, and whose time isn't. */
export async function openDynamoDb(code: Code): Promise<Store> {
  const host = (await startHost({ services: [SERVICE], port: 0, wire: {} })) as WireHost;
  const { wire } = host;
  const client = code.createDynamoDbClient({
    endpoint: wire.dynamodbUrl,
    region: wire.region,
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
  });
  const trips = createTrips();
  client.middlewareStack.add(
    (next) => (args) => {
      const answer = next(args);
      trips.note(answer);
      return answer;
    },
    { step: "initialize", name: "trips" },
  );
  const shared = { client, tableName: wire.ref("message-topic", "Table"), clock: code.systemClock };
  const drivers = {
    connections: code.createDynamoDbConnectionStore({ ...shared, address: ADDRESS }),
    log: code.createDynamoDbTopicLog(shared),
  };
  return {
    name: "DynamoDB (dynalite)",
    drivers,
    async measure(run) {
      const before = await quietCounts(host, QUIET_MS);
      const requestsBefore = requestsOf(host);
      trips.take();
      await run(drivers);
      const after = await quietCounts(host, QUIET_MS);
      return {
        trips: trips.take(),
        requests: requestsOf(host) - requestsBefore,
        readUnits: after.readUnits - before.readUnits,
        writeUnits: after.writeUnits - before.writeUnits,
      };
    },
    async close() {
      client.destroy();
      await host.close();
    },
  };
}

function requestsOf({ wire }: WireHost): number {
  return Object.values(wire.counts().storeRequests).reduce((sum, count) => sum + count, 0);
}

export async function openMemory(code: Code): Promise<Store> {
  const drivers = {
    connections: code.createMemoryConnectionStore({ clock: code.systemClock }),
    log: code.createMemoryTopicLog({ clock: code.systemClock }),
  };
  return {
    name: "memory",
    drivers,
    async measure(run) {
      await run(drivers);
      return { trips: 0, requests: 0 };
    },
    close: async () => {},
  };
}
