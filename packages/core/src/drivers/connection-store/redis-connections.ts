import type { Topic } from "@topicast/protocol";
import type { AppId, Connection, ConnectionId } from "../../model.ts";
import { callRedis } from "../redis/call.ts";
import type { Redis } from "../redis/client.ts";
import { sendCommand } from "../redis/command.ts";
import { connectionKey, EXPIRY_SLACK_MS } from "../redis/keys.ts";
import { defineScript, runScript } from "../redis/script.ts";
import { type TopicHash, topicHash } from "../topic-hash.ts";

/** For so long a connection that left is remembered as one that left, so that a disconnect which failed half-way can be repeated. */
const LEFT_KEPT_MS = 30_000;

export interface ConnectionRow {
  readonly connection: Connection;
  /** The topics that it has, each with the Unix ms at which it was added first. */
  readonly topics: ReadonlyMap<TopicHash, number>;
  /** Unix ms at which its topics were looked through, and none had ended; 0 where they never were. */
  readonly lookedAt: number;
  readonly isCounted: boolean;
  /** Its disconnect has begun: nobody knows it any more. */
  readonly hasLeft: boolean;
}

/** The rows of connections, a hash each. Those no longer valid may still be there: `read` leaves that to its caller. */
export interface ConnectionRows {
  /** Remembers a connection, with the topics of an earlier call for it. Where that was counted it stays so. */
  write(connection: Connection, isCounted: boolean): Promise<void>;
  get(app: AppId, id: ConnectionId): Promise<Connection | undefined>;
  /** With its topics. */
  read(app: AppId, id: ConnectionId): Promise<ConnectionRow | undefined>;
  /** Whose it is; undefined where the connection isn't valid, or has `max` other topics. */
  addTopic(app: AppId, id: ConnectionId, topic: TopicHash, max: number): Promise<string | undefined>;
  /** Whether a valid connection had it. */
  removeTopic(app: AppId, id: ConnectionId, topic: TopicHash): Promise<boolean>;
  /** Removes topics that have ended; where there are none, notes that they were looked through. */
  dropTopics(app: AppId, id: ConnectionId, ended: readonly TopicHash[]): Promise<void>;
  /** The row as it was. From now on it has left. */
  leave(app: AppId, id: ConnectionId): Promise<ConnectionRow | undefined>;
}

export interface ConnectionRowsOptions {
  readonly redis: Redis;
  /** Unix ms. */
  readonly now: () => number;
  /** Left out of rows; absent in a row means this one. */
  readonly address: string | undefined;
}

/** KEYS the connection. ARGV now, d, v, k, ms for which the row must live, and where it has a room that topic and its time. */
const WRITE = defineScript(
  "writeConnection",
  `
local key = KEYS[1]
local v = redis.call('HGET', key, 'v')
if not v or tonumber(v) <= tonumber(ARGV[1]) then
  if v then redis.call('DEL', key) end
  redis.call('HSET', key, 'd', ARGV[2], 'v', ARGV[3], 'k', ARGV[4], 'u', 0)
else
  redis.call('HSET', key, 'd', ARGV[2], 'v', ARGV[3])
  if ARGV[4] == '1' then redis.call('HSET', key, 'k', 1) end
end
if ARGV[6] then redis.call('HSETNX', key, ARGV[6], ARGV[7]) end
redis.call('PEXPIRE', key, ARGV[5])`,
);

/** Fields of a row that are no topics. */
const OWN_FIELDS = 4;

/** KEYS the connection. ARGV now, topic, max. */
const ADD_TOPIC = defineScript(
  "addTopic",
  `
local row = redis.call('HMGET', KEYS[1], 'v', 'd', ARGV[2])
if not row[1] or tonumber(row[1]) <= tonumber(ARGV[1]) then return false end
if not row[3] then
  if redis.call('HLEN', KEYS[1]) - ${OWN_FIELDS} >= tonumber(ARGV[3]) then return false end
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[1])
end
return row[2]`,
);

/** KEYS the connection. ARGV now, topics, of which those that it has are removed; where there are none, now is noted. */
const REMOVE_TOPICS = defineScript(
  "removeTopics",
  `
local v = redis.call('HGET', KEYS[1], 'v')
if not v or tonumber(v) <= tonumber(ARGV[1]) then return 0 end
if #ARGV == 1 then return redis.call('HSET', KEYS[1], 'u', ARGV[1]) end
return redis.call('HDEL', KEYS[1], unpack(ARGV, 2))`,
);

/**
 * Also where memory is full: after a first write that needs none, such as of an expiry, a server refuses no other.
 * KEYS the connection. ARGV ms for which it is kept.
 */
const LEAVE = defineScript(
  "leaveConnection",
  `
local row = redis.call('HGETALL', KEYS[1])
if #row > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('HSET', KEYS[1], 'v', 0)
end
return row`,
);

/** What `d` holds, as JSON. */
type Details = readonly [from: string, connectedAt: number, room: string | null, address?: string];

export function createConnectionRows({ redis, now, address: ownAddress }: ConnectionRowsOptions): ConnectionRows {
  function detailsOf({ from, connectedAt, room, address }: Connection): string {
    const details: Details = [from, connectedAt, room ?? null];
    return JSON.stringify(address === ownAddress ? details : [...details, address]);
  }

  function connectionOf(app: AppId, id: ConnectionId, d: string, v: string): Connection {
    const [from, connectedAt, room, address = ownAddress] = JSON.parse(d) as Details;
    return {
      id,
      address: address as string,
      connectedAt,
      app,
      from,
      ...(room !== null && { room: room as Topic }),
      validUntil: Number(v),
    };
  }

  /** `pairs`: each field's name is followed by its value. */
  function rowOf(app: AppId, id: ConnectionId, pairs: readonly string[]): ConnectionRow | undefined {
    let [d, v, k, u]: (string | undefined)[] = [];
    const topics = new Map<TopicHash, number>();
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const [name, value] = [pairs[i] as string, pairs[i + 1] as string];
      if (name === "d") d = value;
      else if (name === "v") v = value;
      else if (name === "k") k = value;
      else if (name === "u") u = value;
      else topics.set(name as TopicHash, Number(value));
    }
    if (d === undefined || v === undefined) return undefined;
    const connection = connectionOf(app, id, d, v);
    return { connection, topics, lookedAt: Number(u), isCounted: k === "1", hasLeft: v === "0" };
  }

  return {
    async write(connection, isCounted) {
      const { app, id, room, connectedAt, validUntil } = connection;
      const lifeMs = Math.max(0, validUntil - now()) + EXPIRY_SLACK_MS;
      const args = [now(), detailsOf(connection), validUntil, isCounted ? 1 : 0, lifeMs];
      const roomArgs = room === undefined ? [] : [topicHash(app, room), connectedAt];
      await runScript(redis, WRITE, [connectionKey(app, id)], [...args, ...roomArgs]);
    },

    async get(app, id) {
      const [d, v] = (await callRedis(redis, () =>
        sendCommand(redis, "hmget", connectionKey(app, id), ["d", "v"]),
      )) as [d: string | null, v: string | null];
      return d && v ? connectionOf(app, id, d, v) : undefined;
    },

    async read(app, id) {
      const fields = await callRedis(redis, () => redis.hgetall(connectionKey(app, id)));
      return rowOf(app, id, Object.entries(fields).flat());
    },

    async addTopic(app, id, topic, max) {
      const d = await runScript(redis, ADD_TOPIC, [connectionKey(app, id)], [now(), topic, max]);
      return typeof d === "string" ? (JSON.parse(d) as Details)[0] : undefined;
    },

    async removeTopic(app, id, topic) {
      return (await runScript(redis, REMOVE_TOPICS, [connectionKey(app, id)], [now(), topic])) === 1;
    },

    async dropTopics(app, id, ended) {
      await runScript(redis, REMOVE_TOPICS, [connectionKey(app, id)], [now(), ...ended]);
    },

    async leave(app, id) {
      const pairs = (await runScript(redis, LEAVE, [connectionKey(app, id)], [LEFT_KEPT_MS])) as readonly string[];
      return rowOf(app, id, pairs);
    },
  };
}
