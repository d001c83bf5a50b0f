import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { type Grant, mintToken, type Right } from "@topicast/core";
import { parseTopicPattern, type TopicPattern } from "@topicast/protocol";
import { aKnownKey, anApplication, connectRawClient, type Frame } from "@topicast/testing";
import { createHttpClient } from "./http-client.ts";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// A busy machine takes its time to start a host.
jest.setTimeout(30_000);

const ENCRYPTION_KEY = "an encryption key of 32 characters";
/** One name in two applications. */
const USER = "auth0|ann/b";
const USER_PATH = `/users/${encodeURIComponent(USER)}`;
const UNKNOWN = "AAAAAAAAAAAAAAA=";

let host: TopicHost;
/** Keys that may do everything, by application. */
const keys = new Map<string, string>();
/** Keys of the application `blue` that may do less. */
const lesser = { publisher: "", roomPublisher: "", reader: "" };

beforeAll(async () => {
  host = await startTopicHost({ environment: { OPEN: "", ENCRYPTION_KEY } });
  const { apps } = host.ports("message-topic");
  const keyFor = (app: string, keyId: string, ...grants: Grant[]) =>
    aKnownKey({ app, keyId, encryptionKey: ENCRYPTION_KEY }, grants.length > 0 ? { grants } : {});
  const all = ["red", "blue"].map((app) => [app, keyFor(app, "k1")] as const);
  for (const [app, { key }] of all) keys.set(app, key);
  const publisher = keyFor("blue", "k2", grant("*", "publish"));
  const roomPublisher = keyFor("blue", "k3", grant("room/*", "publish", "admin"));
  const reader = keyFor("blue", "k4", grant("*", "subscribe", "history"));
  Object.assign(lesser, { publisher: publisher.key, roomPublisher: roomPublisher.key, reader: reader.key });
  for (const [name, { stored }] of all) {
    const more = name === "blue" ? [publisher.stored, roomPublisher.stored, reader.stored] : [];
    await apps.create(anApplication({ name, keys: [stored, ...more] }));
  }
});
afterAll(() => host.close());

function grant(topics: string, ...rights: Right[]): Grant {
  const pattern = parseTopicPattern(topics);
  if (!pattern.ok) throw new Error(pattern.fault.message);
  return { topics: pattern.value as TopicPattern, rights };
}

const callWith = (key: string) =>
  createHttpClient(
    () => host.httpUrl,
    () => ({ authorization: `Bearer ${key}` }),
  );
const callAs = (app: string) => callWith(keys.get(app) ?? "");

async function joinAs(app: string) {
  const request = { key: keys.get(app) ?? "", sub: USER, cap: { "*": ["subscribe", "publish"] }, lifetimeMs: 60_000 };
  const token = await mintToken(request);
  if (!token.ok) throw new Error(token.fault.message);
  const client = await connectRawClient(host.wsUrl, { headers: { authorization: `Bearer ${token.value}` } });
  await client.request({ action: "subscribe", topic: "room/1" });
  const { connectionId: id } = await client.request({ action: "ping" });
  return { client, id: id as string };
}

const isDirect = ({ type }: Frame) => type === "direct";

describe("two applications with the same users and topics", () => {
  it("never meet each other's connections", async () => {
    const [red, blue] = [await joinAs("red"), await joinAs("blue")];
    const asRed = callAs("red");

    expect((await asRed(`POST ${USER_PATH}/messages`, { payload: "red" })).body).toEqual({ connections: 1 });
    expect(await red.client.frame(isDirect)).toMatchObject({ payload: "red" });
    const foreign = `/connections/${blue.id}`;
    const answers = [
      await asRed(`POST ${foreign}/messages`, { payload: "red" }),
      await asRed(`GET ${foreign}`),
      await asRed(`DELETE ${foreign}`),
    ];
    for (const { status } of answers) expect(status).toBe(404);
    const { subscribers } = (await asRed("GET /topics/room/1/subscribers")).body;
    expect(subscribers).toMatchObject([{ connectionId: red.id, from: USER }]);
    expect((await asRed("GET /topics/room/1")).body).toMatchObject({ subscribers: 1 });

    expect((await asRed(`DELETE ${USER_PATH}/connections`)).status).toBe(204);
    await red.client.closed;
    expect((await blue.client.request({ action: "ping" })).type).toBe("pong");
    expect(blue.client.frames.filter(isDirect)).toEqual([]);
    await blue.client.close();
  });

  it("never meet each other's messages, places or keys of messages", async () => {
    const [red, blue] = [await joinAs("red"), await joinAs("blue")];
    const publish = { payload: "red", key: "order-17" };
    const first = await callAs("red")("POST /topics/room/1/messages", publish);
    const second = await callAs("blue")("POST /topics/room/1/messages", { ...publish, payload: "blue" });
    expect([first.body.seq, second.body.seq]).toEqual([1, 1]);
    expect(first.body.epoch).not.toBe(second.body.epoch);
    const isMessages = ({ type }: Frame) => type === "messages";
    for (const { client } of [red, blue]) await client.frame(isMessages);
    const payloads = [red, blue].map(({ client }) =>
      client.frames.filter(isMessages).map(({ messages }) => messages[0].payload),
    );
    expect(payloads).toEqual([["red"], ["blue"]]);
    expect((await callAs("red")("DELETE /topics/room/1")).status).toBe(204);
    expect((await callAs("blue")("GET /topics/room/1/messages?last=10")).body.messages).toHaveLength(1);
    for (const { client } of [red, blue]) await client.close();
  });
});

describe("a key without the right", () => {
  it.each<[keyof typeof lesser, string]>([
    ["publisher", "GET /topics/room/1"],
    ["publisher", "GET /topics/room/1/subscribers"],
    ["publisher", "GET /topics/room/1/messages?last=1"],
    ["publisher", "DELETE /topics/room/1"],
    ["publisher", `DELETE ${USER_PATH}/connections`],
    ["publisher", "GET /connections/{id}"],
    ["publisher", "DELETE /connections/{id}"],
    ["roomPublisher", "POST /topics/rooms/1/messages"],
    ["roomPublisher", "GET /topics/room"],
    ["roomPublisher", `POST ${USER_PATH}/messages`],
    ["roomPublisher", `DELETE ${USER_PATH}/connections`],
    ["roomPublisher", "POST /connections/{id}/messages"],
    ["roomPublisher", "GET /connections/{id}"],
    ["roomPublisher", "DELETE /connections/{id}"],
    ["reader", "POST /topics/room/1/messages"],
    ["reader", "GET /topics/room/1/subscribers"],
    ["reader", "DELETE /topics/room/1"],
    ["reader", `POST ${USER_PATH}/messages`],
  ])("%s: %s is forbidden, and it isn't said whether there is such a thing", async (name, route) => {
    const { client, id } = await joinAs("blue");
    const call = callWith(lesser[name]);
    const body = route.startsWith("POST") ? { payload: 1 } : undefined;
    const details = [];
    for (const one of [id, UNKNOWN]) {
      const answer = await call(route.replace("{id}", one), body);
      expect(answer).toMatchObject({ status: 403, body: { code: "forbidden", requestId: expect.any(String) } });
      details.push(answer.body.detail);
    }
    expect(new Set(details).size).toBe(1);
    await client.close();
  });

  it("still has the others", async () => {
    const { client, id } = await joinAs("blue");
    const publish = callWith(lesser.publisher);
    expect((await publish(`POST ${USER_PATH}/messages`, { payload: 1 })).status).toBe(202);
    expect((await publish(`POST /connections/${id}/messages`, { payload: 1 })).status).toBe(202);
    expect((await callWith(lesser.reader)("GET /topics/room/1")).status).toBe(200);
    expect((await callWith(lesser.roomPublisher)("GET /topics/room/1/subscribers")).status).toBe(200);
    await client.close();
  });

  it.each(["", "blue.k1:wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong", "green.k1:x"])(
    "%j is unauthorized everywhere, and it isn't said why",
    async (key) => {
      const call = callWith(key);
      for (const route of ["POST /messages", "GET /topics/a", "DELETE /users/a/connections", "GET /connections/a"]) {
        const { status, headers, body } = await call(route);
        expect([status, body.code, headers.get("www-authenticate")]).toEqual([401, "unauthorized", "Bearer"]);
      }
    },
  );
});

describe("POST /messages", () => {
  it("checks rights message by message", async () => {
    const messages = ["room/1", "rooms/1", "room/2"].map((topic) => ({ topic, payload: 1 }));
    const { status, body } = await callWith(lesser.roomPublisher)("POST /messages", { messages });
    expect(status).toBe(202);
    expect(body.results).toMatchObject([
      { topic: "room/1", seq: expect.any(Number) },
      { topic: "rooms/1", error: { code: "forbidden" } },
      { topic: "room/2", seq: expect.any(Number) },
    ]);
  });

  it("answers a message whose key it knows as it did the first time", async () => {
    const call = callAs("red");
    const messages = [
      { topic: "keys/1", payload: 1, key: "a" },
      { topic: "keys/2", payload: 2, key: "a" },
      { topic: "keys/1", payload: 3, key: "b" },
      { topic: "keys/1", payload: 4, key: "a" },
    ];
    const { body } = await call("POST /messages", { messages });
    expect(body.results.map(({ seq }: Frame) => seq)).toEqual([1, 1, 2, 1]);
    const repeated = await call("POST /messages", { messages: [...messages, { topic: "keys/1", payload: 5 }] });
    expect(repeated.body.results).toEqual([...body.results, { ...body.results[0], seq: 3 }]);
  });
});
