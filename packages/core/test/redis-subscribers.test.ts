import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  aConnection,
  aConnectionId,
  aTopic,
  CONNECTION_LIFE_MS,
  fewAtATime,
  startRedis,
  type TestClock,
  testClock,
} from "@topicast/testing";
import { createRedisConnectionStore, type Redis } from "../src/drivers/redis.ts";
import { EXPIRY_SLACK_MS, subscriberName, subscribersKey } from "../src/drivers/redis/keys.ts";
import { topicHash } from "../src/drivers/topic-hash.ts";
import {
  CONNECTION_VALID_MS,
  type Connection,
  type ConnectionId,
  type ConnectionStore,
  DEFAULT_APP,
  type Shard,
} from "../src/index.ts";
import { useRedis } from "./redis-clients.ts";

const topic = aTopic();

/** Thousands of calls. */
jest.setTimeout(30_000);

const open = useRedis(startRedis);
let redis: Redis;
let clock: TestClock;
let store: ConnectionStore;
let close: () => Promise<void>;

beforeEach(() => {
  ({ redis, close } = open());
  clock = testClock();
  store = createRedisConnectionStore({ redis, clock });
});
afterEach(() => close());

async function join(overrides: Partial<Connection> = {}): Promise<Connection> {
  const connection = aConnection({ connectedAt: clock.now(), room: topic, ...overrides });
  await store.connect(connection);
  return connection;
}

function joinMany(count: number): Promise<Connection[]> {
  return fewAtATime(Array(count).fill(0), () => join());
}

function subscribe(connection: Connection) {
  const { app, validUntil } = connection;
  return store.subscribe({ app, topic, connection, validUntil, maxSubscriptions: 9 });
}

/** Whom a walk met, once for each time. */
async function walk(limit: number, shard?: Shard): Promise<readonly ConnectionId[]> {
  const query = { app: DEFAULT_APP, topic, limit, freshness: "fresh", ...(shard && { shard }) } as const;
  const met: ConnectionId[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.subscribers({ ...query, ...(cursor !== undefined && { cursor }) });
    met.push(...page.subscribers.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return met;
}

describe("a walk through subscribers while others come and go all the time", () => {
  /** Comes and goes in one of the ways until it is told that it is over. */
  async function churn(isOver: () => boolean, way: number): Promise<number> {
    const regular = await join();
    let rounds = 0;
    for (; !isOver(); rounds++) {
      if (way === 0) {
        const { id } = await join();
        await store.disconnect(DEFAULT_APP, id);
      } else if (way === 1) {
        await store.unsubscribe(DEFAULT_APP, topic, regular.id);
        await subscribe(regular);
      } else {
        await join();
      }
    }
    return rounds;
  }

  it.each<readonly [string, readonly (Shard | undefined)[]]>([
    ["the whole topic", [undefined]],
    ["four shards", [0, 1, 2, 3].map((index) => ({ index, of: 4 }))],
  ])("meets everyone who stays, once: %s", async (_, parts) => {
    const stayers = (await joinMany(300)).map(({ id }) => id);
    let isOver = false;
    const churning = Array.from({ length: 9 }, (_, i) => churn(() => isOver, i % 3));
    for (let i = 0; i < 10; i++) {
      const met = (await Promise.all(parts.map((shard) => walk(7 + i, shard)))).flat();
      const times = new Map<ConnectionId, number>();
      for (const id of met) times.set(id, (times.get(id) ?? 0) + 1);
      expect(stayers.filter((id) => times.get(id) !== 1)).toEqual([]);
    }
    isOver = true;
    expect(Math.min(...(await Promise.all(churning)))).toBeGreaterThan(10);
  });
});

describe("who never leaves", () => {
  /** One whose place in the topic is right before another's. */
  function idBefore(id: ConnectionId): ConnectionId {
    for (;;) {
      const other = aConnectionId();
      if (subscriberName(other) < subscriberName(id)) return other;
    }
  }

  async function membersOf(): Promise<number> {
    return redis.zcard(subscribersKey(topicHash(DEFAULT_APP, topic)));
  }

  it("is removed by one who comes, when nobody may ask any more, and not before", async () => {
    const lost = await join();
    await clock.advance(CONNECTION_LIFE_MS + 14 * 60_000);
    await join({ id: idBefore(lost.id) });
    expect(await membersOf()).toBe(2);
    await clock.advance(60_000);
    await join({ id: idBefore(lost.id) });
    expect(await membersOf()).toBe(2);
  });

  it("doesn't fill a topic in which somebody always is", async () => {
    // None of them leaves: as many as are valid at a time, and as many again at the most.
    for (let i = 0; i < 12; i++) {
      await joinMany(50);
      await clock.advance(CONNECTION_LIFE_MS / 2);
    }
    expect(await membersOf()).toBeLessThan(2 * 150);
  });

  it("leaves nothing that doesn't expire by itself", async () => {
    const maxMs = CONNECTION_VALID_MS + 10 * 60_000 + EXPIRY_SLACK_MS;
    const connections = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const connection = aConnection({ connectedAt: clock.now(), room: topic });
        await store.connect(connection, 100);
        return connection;
      }),
    );
    await store.disconnect(DEFAULT_APP, (connections[0] as Connection).id);
    const lives = await livesOfKeys();
    expect(lives.length).toBeGreaterThan(10);
    for (const ms of lives) {
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(maxMs);
    }
  });

  /** Of each key with this test's prefix, how long it lives yet. */
  async function livesOfKeys(): Promise<readonly number[]> {
    const prefix = redis.options.keyPrefix ?? "";
    const keys = new Set<string>();
    let cursor = "0";
    do {
      const scan = ["SCAN", cursor, "MATCH", `${prefix}*`, "COUNT", 1_000] as const;
      const [next, found] = (await redis.call(...scan)) as [string, string[]];
      for (const key of found) keys.add(key.slice(prefix.length));
      cursor = next;
    } while (cursor !== "0");
    return Promise.all([...keys].map((key) => redis.pttl(key)));
  }
});
