import { createHash } from "node:crypto";
import {
  type AppId,
  type Application,
  type ApplicationKey,
  type Connection,
  type ConnectionId,
  DEFAULT_APP,
  type FanoutJob,
  RIGHTS,
  type Subscriber,
  type Target,
  WHOLE,
} from "@topicast/core";
import { parseTopic, type Topic, type TopicPattern } from "@topicast/protocol";
import { TEST_START } from "./clock.ts";

/** API Gateway cuts every connection after this time. */
export const CONNECTION_LIFE_MS = 2 * 60 * 60 * 1_000;

let idCount = 0;

/** An id that no other call gave, in API Gateway's shape. Later ids sort in no particular order. */
export function aConnectionId(): ConnectionId {
  idCount += 1;
  const bytes = createHash("sha256").update(String(idCount)).digest().subarray(0, 11);
  return `${bytes.toString("base64url")}=` as ConnectionId;
}

/** A topic's name. Throws where the protocol refuses it. */
export function aTopic(name = "room/1"): Topic {
  const parsed = parseTopic(name);
  if (!parsed.ok) throw new Error(parsed.fault.message);
  return parsed.value;
}

export function anApp(name: string): AppId {
  return name as AppId;
}

/** An application without keys. Two of one name have different ids. */
export function anApplication(overrides: Partial<Application> = {}): Application {
  const { name = "game" } = overrides;
  idCount += 1;
  return { name, id: anApp(`${name}~${idCount}`), topicRules: "[]", createdAt: TEST_START, keys: [], ...overrides };
}

/** An application's key that may do everything; nobody knows its secret. */
export function anApplicationKey(overrides: Partial<ApplicationKey> = {}): ApplicationKey {
  idCount += 1;
  const id = `k${idCount}`;
  const grants = [{ topics: "*" as TopicPattern, rights: RIGHTS }];
  return {
    id,
    secretHash: `hash of ${id}`,
    sealedSigningKey: `sealed ${id}`,
    grants,
    createdAt: TEST_START,
    ...overrides,
  };
}

export function aTarget(overrides: Partial<Target> = {}): Target {
  return { id: aConnectionId(), address: "localhost:4000/message-topic", connectedAt: TEST_START, ...overrides };
}

/** A subscriber that has just come. */
export function aSubscriber(overrides: Partial<Subscriber> = {}): Subscriber {
  const target = aTarget(overrides);
  return { ...target, subscribedAt: TEST_START, validUntil: target.connectedAt + CONNECTION_LIFE_MS, ...overrides };
}

/** A connection that is valid for two hours from `connectedAt`. */
export function aConnection(overrides: Partial<Connection> = {}): Connection {
  const target = aTarget(overrides);
  const validUntil = target.connectedAt + CONNECTION_LIFE_MS;
  return { ...target, app: DEFAULT_APP, from: `client-${target.id}`, validUntil, ...overrides };
}

export type MessagesJob = Extract<FanoutJob, { kind: "messages" }>;

/** A first try at a shard with one numbered message. */
export function aJob(overrides: Partial<MessagesJob> = {}): MessagesJob {
  return {
    kind: "messages",
    app: DEFAULT_APP,
    topic: aTopic(),
    epoch: "k3f9",
    messages: [{ seq: 1, payload: { x: 1 }, from: "alice", time: TEST_START }],
    echo: true,
    shard: WHOLE,
    attempt: 1,
    ...overrides,
  };
}
