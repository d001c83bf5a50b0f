import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  aConnection,
  aConnectionId,
  aTopic,
  meterRedis,
  type RedisCall,
  type RedisMeter,
  startRedis,
  startRedisCluster,
  type TestClock,
  testClock,
} from "@topicast/testing";
import type { Topic } from "@topicast/protocol";
import { createRedisConnectionStore } from "../src/drivers/redis.ts";
import {
  type Connection,
  type ConnectionId,
  type ConnectionStore,
  DEFAULT_APP,
  type Subscriber,
} from "../src/index.ts";
import { useRedis } from "./redis-clients.ts";

const topic = aTopic();
const topics = Array.from({ length: 10 }, (_, i) => aTopic(`each/${i}`));

/** A cluster takes some seconds to agree. */
jest.setTimeout(30_000);

interface Use {
  readonly commands: number;
  /** One after the other. */
  readonly trips: number;
}

function aUser(from = "alice"): Connection {
  return aConnection({ from });
}

/** Nobody but itself. */
function aGuest(): Connection {
  const id = aConnectionId();
  return aConnection({ id, from: id });
}

describe.each([
  ["a server", startRedis],
  ["a cluster", startRedisCluster],
])("connections in %s take as many commands and trips as they must", (_, start) => {
  const open = useRedis(start);
  let meter: RedisMeter;
  let clock: TestClock;
  let store: ConnectionStore;
  let close: () => Promise<void>;

  beforeEach(async () => {
    const opened = open();
    close = opened.close;
    meter = meterRedis(opened.redis);
    clock = testClock();
    store = createRedisConnectionStore({ redis: opened.redis, clock });
    // A server, and each of a cluster, is sent a script's text once.
    for (const name of "abcdefghij") {
      const connection = { ...aUser(), room: aTopic(name) };
      await store.connect(connection, 100);
      await subscribe(connection);
      await store.unsubscribe(DEFAULT_APP, topic, connection.id);
      await store.setShards(DEFAULT_APP, aTopic(name), { from: 2, to: 4 });
      await store.disconnect(DEFAULT_APP, connection.id);
    }
  });
  afterEach(() => close());

  function subscribe(connection: Connection, to = topic, maxSubscriptions = 100) {
    const { app, validUntil } = connection;
    return store.subscribe({ app, topic: to, connection, validUntil, maxSubscriptions });
  }

  async function join(connection: Connection, to: readonly Topic[] = []): Promise<Connection> {
    await store.connect(connection);
    for (const each of to) await subscribe(connection, each);
    return connection;
  }

  async function expectUse(use: Use, run: () => Promise<unknown>): Promise<readonly RedisCall[]> {
    const calls = await meter.measure(run);
    expect({ commands: calls.length, trips: calls.at(-1)?.trip ?? 0 }).toEqual(use);
    return calls;
  }

  /** And each slot in one of the trips only. */
  async function expectOnce(use: Use, run: () => Promise<unknown>): Promise<void> {
    const calls = await expectUse(use, run);
    const visits = new Set(calls.map(({ slot, trip }) => `${slot} ${trip}`));
    expect(visits.size).toBe(new Set(calls.map(({ slot }) => slot)).size);
  }

  it("connects in one trip, wherever else the connection gets", async () => {
    await expectOnce({ commands: 1, trips: 1 }, () => store.connect(aGuest()));
    await expectOnce({ commands: 3, trips: 1 }, () => store.connect({ ...aUser(), room: topic }));
  });

  it("counts a connection in one trip before", async () => {
    await expectOnce({ commands: 4, trips: 2 }, () => store.connect({ ...aUser(), room: topic }, 1));
    const refuse = async () => expect(await store.connect(aGuest(), 1)).toBe("too_many_connections");
    await expectOnce({ commands: 1, trips: 1 }, refuse);
  });

  it("looks connections up in one trip", async () => {
    const users = await Promise.all(Array.from({ length: 40 }, () => join(aUser())));
    const ids = users.map(({ id }) => id);
    await expectOnce({ commands: 1, trips: 1 }, () => store.get(DEFAULT_APP, ids[0] as ConnectionId, "stale"));
    await expectOnce({ commands: 40, trips: 1 }, () => store.getMany(DEFAULT_APP, ids));
    await expectOnce({ commands: 1, trips: 1 }, () => store.connectionsOf(DEFAULT_APP, "alice", { limit: 40 }));
  });

  it("subscribes in two trips, the first time and again, and unsubscribes in two", async () => {
    const guest = await join(aGuest());
    for (let i = 0; i < 2; i++) await expectOnce({ commands: 2, trips: 2 }, () => subscribe(guest));
    await expectOnce({ commands: 2, trips: 2 }, () => store.unsubscribe(DEFAULT_APP, topic, guest.id));
  });

  it("ends a subscription in one trip, whether or not it is still there", async () => {
    await join({ ...aGuest(), room: topic });
    const query = { app: DEFAULT_APP, topic, limit: 1, freshness: "fresh" } as const;
    const [subscriber] = (await store.subscribers(query)).subscribers as [Subscriber];
    const end = () => store.endSubscription(DEFAULT_APP, topic, subscriber);
    for (let i = 0; i < 2; i++) await expectOnce({ commands: 1, trips: 1 }, end);
  });

  it.each([0, 1, 10])("disconnects from %i topics in two trips, and gives its place back in them", async (count) => {
    const guest = await join(aGuest(), topics.slice(0, count));
    const leave = ({ id }: Connection) => store.disconnect(DEFAULT_APP, id);
    await expectOnce({ commands: 1 + count, trips: count === 0 ? 1 : 2 }, () => leave(guest));
    const user = aUser();
    await store.connect(user, 100);
    for (const each of topics.slice(0, count)) await subscribe(user, each);
    await expectOnce({ commands: 3 + count, trips: 2 }, () => leave(user));
  });

  it("refuses a topic with a look at each that the connection has, and then for some seconds with one", async () => {
    const guest = await join(aGuest(), topics);
    const refuse = async () => {
      expect(await subscribe(guest, topic, 10)).toEqual({ status: "too_many_subscriptions" });
    };
    await expectUse({ commands: 2, trips: 2 }, refuse);
    await clock.advance(15_000);
    await expectUse({ commands: 13, trips: 4 }, refuse);
    await expectUse({ commands: 2, trips: 2 }, refuse);
  });

  it("reads a page in one trip, the first with the number of shards", async () => {
    for (let i = 0; i < 3; i++) await join({ ...aGuest(), room: topic });
    const query = { app: DEFAULT_APP, topic, limit: 2, freshness: "fresh" } as const;
    const { cursor = "" } = await store.subscribers(query);
    await expectOnce({ commands: 2, trips: 1 }, () => store.subscribers(query));
    await expectOnce({ commands: 1, trips: 1 }, () => store.subscribers({ ...query, cursor }));
    await expectOnce({ commands: 1, trips: 1 }, () => store.subscribers({ ...query, shard: { index: 0, of: 2 } }));
    await expectOnce({ commands: 1, trips: 1 }, () => store.setShards(DEFAULT_APP, topic, { from: 1, to: 2 }));
  });
});
