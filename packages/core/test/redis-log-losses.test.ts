import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "@jest/globals";
import { createReceiver, type Place, type Received, type Receiver } from "@topicast/protocol";
import { aTopic, type RedisServer, startRedisServer, testClock } from "@topicast/testing";
import { connectRedis, createRedisTopicLog, type Redis } from "../src/drivers/redis.ts";
import { DEFAULT_APP, type LoggedMessage } from "../src/index.ts";

/** Redis loses what it acknowledged where a write wasn't on disk, or not yet on the replica that takes over. */

const RETENTION = { maxMessages: 100, maxAgeMs: 60_000 };
const topic = aTopic();

const servers: RedisServer[] = [];
const clients: Redis[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  for (const server of servers.splice(0)) await server.stop();
});

async function aServer(options: Parameters<typeof startRedisServer>[0] = {}) {
  // A replica doesn't wait for others that might want the same.
  const server = await startRedisServer({ ...options, settings: ["--repl-diskless-sync-delay", "0"] });
  servers.push(server);
  const redis = connectRedis(server.url);
  clients.push(redis);
  const clock = testClock();
  const log = createRedisTopicLog({ redis, clock });
  return {
    server,
    redis,
    log,
    append: async (...payloads: string[]): Promise<Place> =>
      (await log.append(DEFAULT_APP, topic, { payloads, time: clock.now() }, RETENTION)).place,
    async since(place: Place): Promise<readonly LoggedMessage["payload"][] | "not recovered"> {
      const page = await log.readSince(DEFAULT_APP, topic, place, { limit: 100, retention: RETENTION });
      return page.recovered ? page.messages.map(({ payload }) => payload) : "not recovered";
    },
    /** Ends it as a crash does, and starts it with what is on disk. */
    async crash() {
      await server.kill();
      await server.start();
    },
  };
}

type Server = Awaited<ReturnType<typeof aServer>>;

/** A server that forgot "c" and "d", which were acknowledged; the places of "b" and of "d". */
async function aServerThatForgot() {
  const server = await aServer();
  const kept = await server.append("a", "b");
  await server.redis.call("SAVE");
  const lost = await server.append("c", "d");
  await server.crash();
  return { server, kept, lost };
}

async function becomeReplica(of: Server, master: Server): Promise<void> {
  await of.redis.call("REPLICAOF", "127.0.0.1", String(master.server.port));
  // It tells nobody when it is in step.
  while (!(await of.redis.info("replication")).includes("master_link_status:up")) await sleep(20);
}

async function becomeMaster(of: Server): Promise<void> {
  await of.redis.call("REPLICAOF", "NO", "ONE");
}

it("repeats no number of what was lost, and keeps its history", async () => {
  const { server, kept, lost } = await aServerThatForgot();
  const next = await server.append("e");
  expect(next.epoch).toBe(kept.epoch);
  expect(next.seq).toBeGreaterThan(lost.seq + 1_000_000);
  expect(await server.append("f")).toEqual({ ...next, seq: next.seq + 1 });
  expect(await server.since({ ...kept, seq: 0 })).toEqual(["a", "b", "e", "f"]);
  expect(await server.since(kept)).toEqual(["e", "f"]);
  expect(await server.since(next)).toEqual(["f"]);
});

it.each([0, 1])(
  "begins a new epoch where somebody comes from a place that is gone, after %i appends",
  async (appends) => {
    const { server, kept, lost } = await aServerThatForgot();
    for (let i = 0; i < appends; i++) await server.append("e");
    expect(await server.since({ ...lost, seq: lost.seq - 1 })).toBe("not recovered");
    const { epoch, seq } = await server.log.place(DEFAULT_APP, topic);
    expect(epoch).not.toBe(kept.epoch);
    expect(seq).toBe(0);
    // Also who can't know of it.
    expect(await server.since(kept)).toBe("not recovered");
    expect(await server.append("f")).toEqual({ epoch, seq: 1 });
  },
);

it("knows of it after one more restart", async () => {
  const { server, lost } = await aServerThatForgot();
  await server.append("e");
  await server.redis.call("SAVE");
  await server.crash();
  const { epoch } = await server.append("f");
  expect(await server.since(lost)).toBe("not recovered");
  expect((await server.append("g")).epoch).not.toBe(epoch);
});

it("has all that was acknowledged where each write is on disk, and nobody is told otherwise", async () => {
  const server = await aServer({ appendOnly: true });
  const first = await server.append("a", "b");
  await server.crash();
  const next = await server.append("c");
  expect(next.epoch).toBe(first.epoch);
  expect(next.seq).toBeGreaterThan(first.seq);
  expect(await server.since({ ...first, seq: 0 })).toEqual(["a", "b", "c"]);
  expect(await server.since(first)).toEqual(["c"]);
});

it("repeats no number of what a replica hadn't got that takes over", async () => {
  const [master, replica] = [await aServer(), await aServer()];
  const kept = await master.append("a", "b");
  await becomeReplica(replica, master);
  await becomeMaster(replica);
  const lost = await master.append("c", "d");
  const next = await replica.append("e");
  // Both servers left numbers out, but not as many.
  expect(Math.abs(next.seq - lost.seq)).toBeGreaterThan(10);
  expect(await replica.since(kept)).toEqual(["e"]);
  expect(await replica.since(lost)).toBe("not recovered");
  expect(await replica.since(next)).toBe("not recovered");
});

it("repeats none where the server is the master again that was it before", async () => {
  const [one, other] = [await aServer(), await aServer()];
  const kept = await one.append("a", "b");
  await becomeReplica(other, one);
  await becomeMaster(other);
  const lost = await one.append("c", "d");
  // It gives up what the other hasn't got. Nothing is published until it is the master again.
  await becomeReplica(one, other);
  await becomeMaster(one);
  const next = await one.append("e");
  expect(Math.abs(next.seq - lost.seq)).toBeGreaterThan(10);
  expect(await one.since(kept)).toEqual(["e"]);
  expect(await one.since(lost)).toBe("not recovered");
  expect(await one.since(next)).toBe("not recovered");
});

it("repeats none in an epoch that had none yet", async () => {
  const server = await aServer();
  const { epoch } = await server.log.place(DEFAULT_APP, topic);
  await server.redis.call("SAVE");
  const lost = await server.append("a");
  await server.crash();
  const next = await server.append("b");
  expect(next.epoch).toBe(epoch);
  expect(next.seq).toBeGreaterThan(lost.seq);
});

it("lets ticks go on across the numbers that are left out", async () => {
  const { server, kept } = await aServerThatForgot();
  const wakeUp = { id: "w1", dueAt: 5 };
  const batch = { payloads: ["e"], time: 0, tick: { wakeUp } };
  const { place } = await server.log.append(DEFAULT_APP, topic, batch, RETENTION);
  const page = await server.log.readTick(DEFAULT_APP, topic, kept);
  expect(page).toMatchObject({ numbered: [{ message: { payload: "e" } }], upTo: place, isFull: false, isAll: true });
  // A worker that took what is lost now.
  const ahead = await server.log.readTick(DEFAULT_APP, topic, { ...place, seq: place.seq + 5 });
  expect(ahead).toMatchObject({ numbered: [], upTo: { seq: place.seq + 5 }, isAll: true });
  expect(await server.log.endTicks(DEFAULT_APP, topic, ahead!)).toBe(true);
});

it("forgets keys with what they stood for", async () => {
  const server = await aServer();
  await server.append("a");
  await server.redis.call("SAVE");
  const batch = { payloads: ["b"], time: 0, key: { sender: "alice", value: "k1" } };
  const lost = await server.log.append(DEFAULT_APP, topic, batch, RETENTION);
  await server.crash();
  const again = await server.log.append(DEFAULT_APP, topic, batch, RETENTION);
  expect(again.place.seq).toBeGreaterThan(lost.place.seq);
  expect(await server.log.append(DEFAULT_APP, topic, batch, RETENTION)).toEqual(again);
});

it("tells receivers what they can't have any more, and gives them all that comes after", async () => {
  const { server, kept } = await aServerThatForgot();
  /** One that had everything, and one whose frames with what is lost were lost too. */
  const [one, other] = ([4, 2] as const).map((seq) => {
    const receiver = createReceiver(() => 0.5);
    const said: unknown[] = [];
    receiver.ack({ ...kept, seq }, undefined, 0);
    return { receiver, said };
  }) as [Receiving, Receiving];

  /** As a client does: a frame comes, and what it misses it asks history for. */
  async function publish(payload: string): Promise<void> {
    const { place, messages } = await server.log.append(
      DEFAULT_APP,
      topic,
      { payloads: [payload], time: 0 },
      RETENTION,
    );
    for (const { receiver, said } of [one, other]) {
      note(said, receiver.receive({ epoch: place.epoch, messages }, 0));
      for (let now = 1_000; receiver.dueAt !== undefined; now += 10_000) {
        const since = receiver.ask(now);
        if (since === undefined) continue;
        const page = await server.log.readSince(DEFAULT_APP, topic, since, { limit: 100, retention: RETENTION });
        note(said, receiver.ack({ ...page.place, ...page }, since, now));
      }
    }
  }

  await publish("e");
  await publish("f");
  await publish("g");
  // The first proves it. The other had nothing to prove, had "e" from history or not, and learns of it with the next message.
  expect(one.said).toEqual(["lost", "f", "g"]);
  expect(other.said.filter((each) => each !== "e")).toEqual(["lost", "f", "g"]);
});

interface Receiving {
  readonly receiver: Receiver;
  readonly said: unknown[];
}

function note(said: unknown[], { messages, lost }: Received): void {
  if (lost !== undefined) said.push("lost");
  said.push(...messages.map(({ payload }) => payload));
}
