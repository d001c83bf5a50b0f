import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { connectRedis } from "@topicast/core/redis";
import {
  connectRawClient,
  createRecoveringClient,
  type RecoveringClient,
  type RedisServer,
  startRedisCluster,
  startRedisServer,
} from "@topicast/testing";
import type { Host } from "../src/index.ts";
import { startOnRedis, webSocketUrl } from "./hosts-on-redis.ts";

/* What clients of a service see of a Redis that fails: `unavailable`, and once it is back each message that was acknowledged, once. */

// The first start builds the services' bundles, and a cluster needs seconds to notice that a master has gone.
jest.setTimeout(120_000);

const TOPICS = ["a/1", "b/1", "c/1", "d/1", "e/1", "f/1"];
const CLIENTS = 3;

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Clients of a host, each of which is in all topics and publishes to them in turn until it is told to stop. */
async function startClients(host: Host) {
  const acknowledged: string[] = [];
  const emitted: string[][] = [];
  const reported: unknown[] = [];
  const watchers = new Set<() => void>();
  let publishing = 0;
  let paused: Promise<void> | undefined;
  let isStopped = false;

  function changed(): void {
    for (const watch of watchers) watch();
  }

  function until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => {
        if (!isSo()) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
      watch();
    });
  }

  function connect(number: number): RecoveringClient {
    const own: string[] = [];
    emitted[number] = own;
    const client = createRecoveringClient({
      url: webSocketUrl(host, "message-topic"),
      topics: TOPICS,
      receive(topic, { messages, lost }) {
        own.push(...messages.map(({ payload }) => `${topic} ${payload}`));
        if (lost !== undefined) reported.push({ topic, lost });
        changed();
      },
    });
    endings.push(() => client.close());
    return client;
  }

  async function publishAll(client: RecoveringClient, number: number): Promise<void> {
    for (let n = 0; !isStopped; n++) {
      await paused;
      const topic = TOPICS[n % TOPICS.length] as string;
      publishing += 1;
      await client.publish(topic, [`${number}.${n}`]);
      publishing -= 1;
      acknowledged.push(`${topic} ${number}.${n}`);
      changed();
    }
  }

  const clients = Array.from({ length: CLIENTS }, (_, number) => connect(number));
  await Promise.all(clients.map(({ ready }) => ready));
  const all = clients.map(publishAll);
  return {
    publishMore(more: number): Promise<void> {
      const enough = acknowledged.length + more;
      return until(() => acknowledged.length >= enough);
    },
    /** Until the function has done what it does; what was sent by then is acknowledged first. */
    async holdWhile(work: () => Promise<void>): Promise<void> {
      let resume = () => {};
      paused = new Promise((resolve) => {
        resume = resolve;
      });
      await until(() => publishing === 0);
      await work();
      resume();
      paused = undefined;
    },
    /** Resolves when every client has had all that was acknowledged. Throws where one had something twice, or was told of a loss. */
    async stop(): Promise<void> {
      isStopped = true;
      await Promise.all(all);
      await until(() => emitted.every((own) => acknowledged.every((text) => own.includes(text))));
      for (const own of emitted) expect(new Set(own).size).toBe(own.length);
      expect(reported).toEqual([]);
    },
  };
}

/** Publishes until that is refused; what the client is told. */
async function refusalOf(host: Host) {
  const client = await connectRawClient(webSocketUrl(host, "message-topic"));
  endings.push(() => client.close());
  return async () => {
    for (;;) {
      const answer = await client.request({ action: "publish", topic: "probe", payload: 1 });
      if (answer.type === "error") return answer;
    }
  };
}

async function serve(url: string) {
  const host = await startOnRedis(url);
  endings.push(() => host.close());
  return { clients: await startClients(host), refusal: await refusalOf(host) };
}

function open(url: string) {
  const redis = connectRedis(url);
  endings.push(() => redis.disconnect());
  return redis;
}

describe("clients of a service see a server", () => {
  type Operator = ReturnType<typeof open>;
  interface Fault {
    begin(server: RedisServer, operator: Operator): unknown;
    end(server: RedisServer, operator: Operator): unknown;
  }
  const faults: Readonly<Record<string, Fault>> = {
    "that restarts": { begin: (server) => server.kill(), end: (server) => server.start() },
    "that hangs": { begin: (server) => server.pause(), end: (server) => server.resume() },
    "whose memory is full": {
      begin: (_, operator) => operator.config("SET", "maxmemory", "1"),
      end: (_, operator) => operator.config("SET", "maxmemory", "0"),
    },
    "that wants another password": {
      async begin(_, operator) {
        await operator.config("SET", "requirepass", "changed");
        await operator.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      },
      end: (_, operator) => operator.config("SET", "requirepass", ""),
    },
  };

  it.each(Object.entries(faults))("%s as unavailable, and miss nothing once that is over", async (_, fault) => {
    const server = await startRedisServer({ appendOnly: true });
    endings.push(() => server.stop());
    const operator = open(server.url);
    const { clients, refusal } = await serve(server.url);
    await clients.publishMore(20);
    await fault.begin(server, operator);
    expect(await refusal()).toMatchObject({ code: "unavailable" });
    await fault.end(server, operator);
    await clients.publishMore(20);
    await clients.stop();
  });

  it("that forgets its scripts as if nothing had happened", async () => {
    const server = await startRedisServer();
    endings.push(() => server.stop());
    const operator = open(server.url);
    const { clients } = await serve(server.url);
    for (let flushes = 0; flushes < 3; flushes++) {
      await clients.publishMore(10);
      await operator.script("FLUSH");
    }
    await clients.publishMore(10);
    await clients.stop();
  });
});

describe("clients of a service on a cluster", () => {
  it("miss nothing when a replica takes over that had all", async () => {
    const cluster = await startRedisCluster({ nodeTimeoutMs: 2_000 });
    endings.push(() => cluster.stop());
    const { clients } = await serve(cluster.url);
    await clients.publishMore(20);
    const [master, replica] = [cluster.masters[0], cluster.replicas[0]] as [RedisServer, RedisServer];
    const [from, to] = [open(master.url), open(replica.url)];
    // What a replica hasn't got yet is what Redis itself may lose.
    await clients.holdWhile(async () => {
      const offsetOf = async (redis: typeof from) =>
        /master_repl_offset:(\d+)/.exec(await redis.info("replication"))?.[1];
      while ((await offsetOf(from)) !== (await offsetOf(to)));
      await master.kill();
    });
    // To each topic, those of the master that is gone among them.
    await clients.publishMore(10 * TOPICS.length);
    await clients.stop();
  });
});
