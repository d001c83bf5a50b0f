import { randomBytes } from "node:crypto";
import {
  type Connection,
  type ConnectionId,
  type ConnectionStore,
  CONNECTION_VALID_MS,
  DEFAULT_APP,
  DEFAULT_RULE,
  type TopicLog,
} from "@topicast/core";
import type { Topic } from "@topicast/protocol";

export interface Drivers {
  readonly connections: ConnectionStore;
  readonly log: TopicLog;
}

/** Connect, three times subscribe, publish, leave. */
export const OPERATIONS = 6;
/** Clients at a time. */
export const IN_FLIGHT = 64;
const SUBSCRIPTIONS = 3;
const ROOMS = 1_000;
const PAYLOAD = "x".repeat(100);
/** As FANOUT_INLINE_MAX: of a larger topic the publisher reads no more. */
const INLINE_MAX = 16;
export const ADDRESS = "churn.execute-api.us-east-1.amazonaws.com/prod";

/** Ids as API Gateway's, made of that and a number: to draw a random one takes nearly as long as one of a cycle's calls. */
const PROCESS = randomBytes(5).toString("base64url").slice(0, 6);
let guests = 0;

/** What a client that has no token and no secret makes the drivers do in its short life, in a few of many rooms; but for the posts of what it publishes. */
export async function runCycle(drivers: Drivers, number: number): Promise<void> {
  const connection = await arrive(drivers, number);
  await publish(drivers, connection, roomOf(number, 0));
  await drivers.connections.disconnect(DEFAULT_APP, connection.id);
}

/** The first half of it: who is there to stay. */
export async function arrive({ connections }: Drivers, number: number): Promise<Connection> {
  const connection = aGuest();
  await connections.connect(connection);
  const { validUntil } = connection;
  for (let i = 0; i < SUBSCRIPTIONS; i++) {
    const topic = roomOf(number, i);
    await connections.subscribe({ app: DEFAULT_APP, topic, connection, validUntil, maxSubscriptions: 100 });
  }
  return connection;
}

/** As the use case does: looks who sends, numbers the message, and reads who is to get it. */
export async function publish({ connections, log }: Drivers, { id, from }: Connection, topic: Topic): Promise<void> {
  const sender = await connections.get(DEFAULT_APP, id, "stale");
  if (sender === undefined) throw new Error("A connection that had just come was not known.");
  await log.append(DEFAULT_APP, topic, { payloads: [PAYLOAD], from, time: Date.now() }, DEFAULT_RULE.retention);
  await connections.subscribers({ app: DEFAULT_APP, topic, limit: INLINE_MAX, freshness: "fresh" });
}

export function roomOf(number: number, which: number): Topic {
  return `churn/room/${(number * SUBSCRIPTIONS + which) % ROOMS}` as Topic;
}

function aGuest(): Connection {
  guests += 1;
  const id = `${PROCESS}${guests.toString(36).padStart(9, "0")}=` as ConnectionId;
  const connectedAt = Date.now();
  const validUntil = connectedAt + CONNECTION_VALID_MS;
  return { id, address: ADDRESS, connectedAt, app: DEFAULT_APP, from: id, validUntil };
}
