import type { ErrorCode } from "@topicast/protocol";
import type { ContractHost } from "./contract-host.ts";
import { APPLICATION_EXAMPLES } from "./openapi-requests-applications.ts";

/** One request of a documented operation, and what is to come of it. */
export interface Example {
  /** Default: success. */
  readonly code?: ErrorCode;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the document doesn't promise to take and a service answers nevertheless. */
  readonly isUndocumented?: true;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Default: one that may do everything. */
  readonly key?: string;
}

export type Examples = (host: ContractHost) => Promise<readonly Example[]> | readonly Example[];

const ROOM = { topic: "room/1" };
const TOO_LARGE = "x".repeat(97 * 1024);
/** Too large together. */
const HALF = { topic: "a", payload: "x".repeat(49 * 1024) };
const NO_TOPIC = { code: "invalid_topic", path: { topic: "a b" } } as const;

const NO_CONNECTION = { id: "AAAAAAAAAAAAAAA=" };

let users = 0;
/** A new connection's id. */
async function connectionOf(host: ContractHost, service: string): Promise<string> {
  users += 1;
  const user = `user-${users}`;
  await host.connect(service, { user });
  const { connections } = await host.ports(service).connections.connectionsOf(host.app, user, { limit: 1 });
  return connections[0]?.id ?? "";
}

function lookOrClose(service: string): Examples {
  return async (host) => {
    const path = { id: await connectionOf(host, service) };
    return [{ path }, { code: "not_found", path: NO_CONNECTION }, { code: "forbidden", path, key: host.keys.idle }];
  };
}

/** By `operationId`; the first succeeds. */
export const EXAMPLES: Readonly<Record<string, Examples>> = {
  publish: ({ keys }) => [
    { path: ROOM, body: { payload: { x: 1 }, from: "jobs", key: "k1" } },
    { path: ROOM, body: { payloads: [1, null] }, headers: { "Idempotency-Key": "k2" } },
    { path: { topic: "räume/é" }, body: { payload: 1, latest: "position" } },
    { code: "bad_request", path: ROOM, body: { payload: 1, payloads: [1] } },
    { ...NO_TOPIC, body: { payload: 1 } },
    { code: "payload_too_large", path: ROOM, body: { payload: TOO_LARGE } },
    { code: "forbidden", path: ROOM, body: { payload: 1 }, key: keys.idle },
  ],
  publishToMany: ({ keys }) => [
    {
      body: {
        messages: [
          { topic: "a", payload: 1 },
          { topic: "b", payloads: [1, 2], ephemeral: true },
        ],
      },
    },
    { body: { messages: [{ topic: "a", payload: 1 }] }, key: keys.idle },
    { isUndocumented: true, body: { messages: [{ topic: "$a", payload: 1 }, 7] } },
    { code: "bad_request", body: { messages: [] } },
    { code: "bad_request", body: { messages: [{ topic: "a", payload: 1 }] }, headers: { "Idempotency-Key": "k" } },
    { code: "payload_too_large", body: { messages: [HALF, HALF] } },
  ],
  getHistory: ({ keys }) => [
    { path: ROOM, query: { last: "10" } },
    { path: ROOM, query: { epoch: "gone", seq: "1", limit: "1" } },
    { code: "bad_request", path: ROOM },
    { ...NO_TOPIC, query: { last: "1" } },
    { code: "forbidden", path: ROOM, query: { last: "1" }, key: keys.idle },
  ],
  deleteTopic: ({ keys }) => [{ path: { topic: "old" } }, NO_TOPIC, { code: "forbidden", path: ROOM, key: keys.idle }],
  getTopic: ({ keys }) => [{ path: ROOM }, NO_TOPIC, { code: "forbidden", path: ROOM, key: keys.idle }],
  listSubscribers: async (host) => {
    const [alice, bob] = [await host.connect("message-topic"), await host.connect("message-topic")];
    for (const client of [alice, bob]) await client.request({ action: "subscribe", topic: "full" });
    const path = { topic: "full" };
    return [
      { path, query: { limit: "1" } },
      { path },
      { code: "bad_request", path, query: { cursor: "none of ours" } },
      { code: "bad_request", path, query: { limit: "0" } },
      NO_TOPIC,
      { code: "forbidden", path, key: host.keys.idle },
    ];
  },
  sendToUser: ({ keys }) => [
    { path: { user: "alice" }, body: { payload: { done: true }, from: "jobs" } },
    { path: { user: "nobody/here" }, body: { payload: null } },
    { code: "bad_request", path: { user: "alice" }, body: {} },
    { code: "bad_request", path: { user: "a".repeat(129) }, body: { payload: 1 } },
    { code: "payload_too_large", path: { user: "alice" }, body: { payload: TOO_LARGE } },
    { code: "forbidden", path: { user: "alice" }, body: { payload: 1 }, key: keys.idle },
  ],
  closeUser: ({ keys }) => [
    { path: { user: "alice" } },
    { code: "bad_request", path: { user: "a".repeat(129) } },
    { code: "forbidden", path: { user: "alice" }, key: keys.idle },
  ],
  sendToConnection: async (host) => {
    const path = { id: await connectionOf(host, "message-topic") };
    return [
      { path, body: { payload: 1 } },
      { code: "bad_request", path, body: { payload: 1, from: "" } },
      { code: "not_found", path: NO_CONNECTION, body: { payload: 1 } },
      { code: "payload_too_large", path, body: { payload: TOO_LARGE } },
      { code: "forbidden", path, body: { payload: 1 }, key: host.keys.idle },
    ];
  },
  getTopicConnection: lookOrClose("message-topic"),
  closeTopicConnection: lookOrClose("message-topic"),
  getRoom: ({ keys }) => [
    { path: { room: "lobby" } },
    { code: "invalid_topic", path: { room: "$x" } },
    { code: "forbidden", path: { room: "lobby" }, key: keys.idle },
  ],
  getBroadcastConnection: lookOrClose("message-broadcast"),
  closeBroadcastConnection: lookOrClose("message-broadcast"),
  ...APPLICATION_EXAMPLES,
  getTopicHealth: () => [{}],
  broadcast: ({ keys }) => [
    { body: { type: "act" }, query: { room_id: "room/1" }, headers: { "Idempotency-Key": "k3" } },
    { body: "plain text" },
    { body: "ping" },
    { code: "bad_request", body: { x: 1 }, headers: { "Idempotency-Key": "k".repeat(65) } },
    { code: "invalid_topic", body: "x", query: { room_id: "$x" } },
    { code: "payload_too_large", body: TOO_LARGE },
    { code: "forbidden", body: "x", key: keys.idle },
  ],
  getBroadcastHealth: () => [{}],
};
