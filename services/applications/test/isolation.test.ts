import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { mintToken } from "@topicast/core";
import { type Host, startHost } from "@topicast/local";
import { connectRawClient, type Frame, fewAtATime, type RawClient } from "@topicast/testing";

/*
 * Two applications whose topics, rooms and users are called the same, under load: everyone gets all of their own application's messages and not one of
 * the other's.
 */

jest.setTimeout(120_000);

const FOLDERS = ["applications", "message-topic", "message-broadcast"].map((name) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url)),
);
const APPS = ["red", "blue"] as const;
const USERS = ["alice", "bob", "carol"];
const TOPICS = ["room/1", "room/2"];
const BACKENDS = [
  ["in memory", {}, 100],
  ["over the wire", { wire: {} }, 15],
] as const;

interface Application {
  readonly name: string;
  readonly key: string;
  readonly clients: RawClient[];
  readonly members: RawClient[];
}

let host: Host;
let apps: readonly Application[];

/** On a busy machine an emulator may be late; a retry with the same key doubles nothing. */
async function publishUntilAcknowledged(client: RawClient, fields: object): Promise<void> {
  for (let code = "unavailable"; code === "unavailable"; ) {
    const answer = await client.request({ action: "publish", ...fields });
    code = answer.code;
    if (answer.type !== "ack" && code !== "unavailable") throw new Error(JSON.stringify(answer));
  }
}

async function call(method: string, path: string, key: string, body?: object): Promise<Frame> {
  const response = await fetch(`${host.url}/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status === 503) return call(method, path, key, body);
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

async function createApplication(name: string): Promise<Application> {
  const { key } = await call("POST", "applications/apps", host.keys?.operator ?? "", { app: name });
  const cap = { "*": ["subscribe", "publish", "history"] };
  const base = `ws://127.0.0.1:${host.port}`;
  const open = async (address: string, user: string) => {
    const token = await mintToken({ key, sub: user, cap, lifetimeMs: 600_000 });
    if (!token.ok) throw new Error(token.fault.message);
    return connectRawClient(`${base}/${address}`, { headers: { authorization: `Bearer ${token.value}` } });
  };
  const clients = await Promise.all(USERS.map((user) => open("message-topic", user)));
  const members = await Promise.all(USERS.map((user) => open("message-broadcast?room_id=room/1", user)));
  for (const client of clients) {
    for (const topic of TOPICS)
      expect(await client.request({ action: "subscribe", topic })).toMatchObject({ type: "ack" });
  }
  return { name, key, clients, members };
}

describe.each(BACKENDS)("two applications, %s", (_, backend, messages) => {
  beforeEach(async () => {
    const environment = { POWERTOOLS_LOG_LEVEL: "SILENT", MESSAGES_PER_SECOND_MAX: "100000" };
    host = await startHost({ services: FOLDERS, port: 0, auth: true, environment, ...backend });
    apps = await Promise.all(APPS.map(createApplication));
  });
  afterEach(() => host.close());

  it("never see a message of each other", async () => {
    const load = apps.flatMap(({ name, key, clients, members }) =>
      Array.from({ length: messages }, (_each, n) => async () => {
        const payload = { app: name, n };
        const topic = TOPICS[n % TOPICS.length];
        const client = clients[n % clients.length] as RawClient;
        // The same idempotency keys in both, too.
        await publishUntilAcknowledged(client, { topic, payload, key: `c${n}` });
        await call("POST", `message-topic/topics/${topic}/messages`, key, { payload, key: `b${n}` });
        await call("POST", "message-topic/users/alice/messages", key, { payload });
        await call("POST", "message-broadcast/messages?room_id=room/1", key, payload);
        members[n % members.length]?.send(payload);
      }),
    );
    await fewAtATime(load, (publish) => publish());

    for (const { name, clients, members, key } of apps) {
      const [alice] = clients as [RawClient];
      await Promise.all(clients.map((client) => client.count(2 * messages, isFirst(isMessages))));
      await alice.count(
        messages,
        isFirst((frame) => frame.type === "direct"),
      );
      await Promise.all(
        members.map((member) =>
          member.count(
            2 * messages,
            isFirst((frame) => frame._seq !== undefined),
          ),
        ),
      );
      for (const frame of [...clients, ...members].flatMap(({ frames }) => frames)) {
        const payloads = isMessages(frame)
          ? frame.messages.map((message: Frame) => message.payload)
          : [frame.payload ?? frame];
        for (const { app } of payloads) expect(app ?? name).toBe(name);
      }
      for (const topic of TOPICS) {
        const history = await call("GET", `message-topic/topics/${topic}/messages?last=100`, key);
        expect(new Set(history.messages.map(({ payload }: Frame) => payload.app))).toEqual(new Set([name]));
      }
    }
  });

  it("can't reach connections and users of each other", async () => {
    const [red, blue] = apps as [Application, Application];
    const { connectionId } = await (red.clients[0] as RawClient).request({ action: "ping" });
    const path = `message-topic/connections/${encodeURIComponent(connectionId)}`;
    await expect(call("GET", path, blue.key)).rejects.toThrow("404");
    await expect(call("DELETE", path, blue.key)).rejects.toThrow("404");
    await expect(call("POST", `${path}/messages`, blue.key, { payload: 1 })).rejects.toThrow("404");
    await call("DELETE", "message-topic/users/alice/connections", blue.key);
    await call("DELETE", "message-topic/topics/room/1", blue.key);
    expect((await (blue.clients[0] as RawClient).closed).code).toBe(1000);
    for (const client of red.clients) expect(await client.request({ action: "ping" })).toMatchObject({ type: "pong" });
    const ack = await (red.clients[0] as RawClient).request({
      action: "publish",
      topic: "room/1",
      payload: { app: "red" },
    });
    expect(ack.type).toBe("ack");
    await (red.clients[1] as RawClient).count(1, isMessages);
  });
});

const isMessages = ({ type }: Frame) => type === "messages";

/** Leaves copies out: over the wire a message may come twice. */
function isFirst(matches: (frame: Frame) => boolean) {
  const placeOf = ({ topic, messages, _seq, payload, time }: Frame) =>
    JSON.stringify([topic, messages?.map(({ seq }: Frame) => seq), _seq, payload, time]);
  return (frame: Frame, index: number, frames: readonly Frame[]) =>
    matches(frame) && frames.findIndex((earlier) => matches(earlier) && placeOf(earlier) === placeOf(frame)) === index;
}
