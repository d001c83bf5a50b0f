import { generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { mintToken } from "@topicast/core";
import { type JsonObject, parseTopicPattern } from "@topicast/protocol";
import {
  aKnownKey,
  anApplication,
  connectRawClient,
  jsonAnswer,
  type RawClient,
  startHttpAnswers,
} from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

jest.setTimeout(30_000);

const ENCRYPTION_KEY = "an encryption key of 32 characters";

let host: TopicHost;
/** With all rights, and one that may only subscribe to rooms. */
let [key, readerKey] = ["", ""];

beforeAll(async () => {
  host = await startTopicHost({ environment: { OPEN: "", ENCRYPTION_KEY } });
  const rooms = parseTopicPattern("room/*");
  if (!rooms.ok) throw new Error(rooms.fault.message);
  const full = aKnownKey({ app: "game", encryptionKey: ENCRYPTION_KEY });
  const grants = [{ topics: rooms.value, rights: ["subscribe"] as const }];
  const reader = aKnownKey({ app: "game", keyId: "k2", encryptionKey: ENCRYPTION_KEY }, { grants });
  [key, readerKey] = [full.key, reader.key];
  const { apps } = host.ports("message-topic");
  await apps.create(anApplication({ name: "game", keys: [full.stored, reader.stored] }));
});
afterAll(() => host.close());

const EVERYTHING = { "*": ["subscribe", "publish", "history"] };

async function tokenWith(cap?: JsonObject, signer = key): Promise<string> {
  const token = await mintToken({ key: signer, sub: "alice", lifetimeMs: 60_000, ...(cap && { cap }) });
  if (!token.ok) throw new Error(token.fault.message);
  return token.value;
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const connectWith = async (cap?: JsonObject, signer?: string) =>
  connectRawClient(host.wsUrl, bearer(await tokenWith(cap, signer)));

describe("a token is taken", () => {
  async function expectAlice(client: RawClient): Promise<void> {
    expect(await client.request({ action: "subscribe", topic: "room/1" })).toMatchObject({ type: "ack", you: "alice" });
    expect(await client.request({ action: "ping" })).toMatchObject({ type: "pong", you: "alice" });
    await client.close();
  }

  it("from the header Authorization", async () => {
    await expectAlice(await connectWith(EVERYTHING));
  });

  it("from the query, and ?client= is nobody then", async () => {
    const token = await tokenWith(EVERYTHING);
    await expectAlice(await connectRawClient(`${host.wsUrl}?client=aaaaaaaaaaaaaaaa&token=${token}`));
  });

  it("from the subprotocols, of which bearer is answered", async () => {
    const client = await connectRawClient(host.wsUrl, {}, ["bearer", await tokenWith(EVERYTHING)]);
    expect(client.socket.protocol).toBe("bearer");
    await expectAlice(client);
  });
});

describe("before the upgrade it answers 401", () => {
  const refusals: readonly [string, () => Promise<[query: string, options?: object, subprotocols?: string[]]>][] = [
    ["without a token", async () => ["", {}]],
    ["to an empty one", async () => ["?token=", {}]],
    ["to garbage in the header", async () => ["", bearer("garbage")]],
    ["to a whole key", async () => ["", bearer(key)]],
    ["to one that is cut short", async () => [`?token=${(await tokenWith(EVERYTHING)).slice(0, -2)}`, {}]],
    [
      "to a bad one in the header, also where the query has a good one",
      async () => [`?token=${await tokenWith()}`, bearer("bad")],
    ],
    ["to the subprotocol without a token", async () => ["", {}, ["bearer"]]],
    ["to another subprotocol's", async () => ["", {}, ["other", await tokenWith(EVERYTHING)]]],
    ["to one of 5 KB", async () => ["", bearer("x".repeat(5_000))]],
  ];
  it.each(refusals)("%s", async (_, request) => {
    const [query, ...options] = await request();
    await expect(connectRawClient(`${host.wsUrl}${query}`, ...options)).rejects.toThrow("401");
  });
});

describe("a client", () => {
  it("may do what its cap says, and is told of what it may not", async () => {
    const client = await connectWith({ "room/*": ["subscribe"], "log/1": ["publish"], "log/2": ["history"] });
    const publish = { action: "publish", payload: 1 };
    const history = { action: "history", last: 1 };
    const subscribe = { action: "subscribe" };
    const may = [
      { ...subscribe, topic: "room/1" },
      { ...publish, topic: "log/1" },
      { ...history, topic: "log/2" },
      { ...subscribe, topic: "room/1/2", last: 1 },
    ];
    for (const request of may) expect(await client.request(request)).toMatchObject({ type: "ack" });
    const mayNot = [
      [{ ...publish, topic: "room/1" }, "publish to room/1"],
      [{ ...history, topic: "room/1" }, "read the history of room/1"],
      [{ ...subscribe, topic: "room" }, "subscribe to room"],
      [{ ...subscribe, topic: "rooms/1" }, "subscribe to rooms/1"],
      [{ ...publish, topic: "log/2" }, "publish to log/2"],
    ] as const;
    for (const [request, what] of mayNot) {
      const { action, topic } = request;
      const message = `This token or key may not ${what}.`;
      const id = expect.any(String);
      expect(await client.request(request)).toEqual({ type: "error", id, action, topic, code: "forbidden", message });
    }
    await client.close();
  });

  it("without a cap comes in, and may do nothing", async () => {
    const client = await connectWith();
    for (const request of [
      { action: "subscribe" },
      { action: "publish", payload: 1 },
      { action: "history", last: 1 },
    ]) {
      expect(await client.request({ ...request, topic: "room/1" })).toMatchObject({ type: "error", code: "forbidden" });
    }
    expect(await client.request({ action: "ping" })).toMatchObject({ type: "pong", you: "alice" });
    await client.close();
  });

  it("may do no more than the key that signed its token", async () => {
    const client = await connectWith(EVERYTHING, readerKey);
    expect(await client.request({ action: "subscribe", topic: "room/1" })).toMatchObject({ type: "ack" });
    expect(await client.request({ action: "subscribe", topic: "lobby" })).toMatchObject({ code: "forbidden" });
    expect(await client.request({ action: "publish", topic: "room/1", payload: 1 })).toMatchObject({
      code: "forbidden",
    });
    await client.close();
  });

  it("is the sender of what it publishes, whatever it says", async () => {
    const client = await connectWith(EVERYTHING);
    await client.request({ action: "subscribe", topic: "room/7" });
    client.send({ action: "publish", topic: "room/7", payload: 1, from: "mallory", you: "mallory" });
    const frame = await client.frame(({ type }) => type === "messages");
    expect(frame.messages).toMatchObject([{ payload: 1, from: "alice" }]);
    await client.close();
  });
});

describe("tokens that others vouch for", () => {
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const claims = { sub: "carol", exp, cap: { "room/*": ["subscribe"] } };

  async function expectCarol(environment: Record<string, string>, token: string): Promise<void> {
    const other = await startTopicHost({ environment: { OPEN: "", ENCRYPTION_KEY, ...environment } });
    await other.ports("message-topic").apps.create(anApplication({ name: "default" }));
    await expect(connectRawClient(other.wsUrl, bearer(`${token}x`))).rejects.toThrow("401");
    const client = await connectRawClient(other.wsUrl, bearer(token));
    expect(await client.request({ action: "subscribe", topic: "room/1" })).toMatchObject({ type: "ack", you: "carol" });
    expect(await client.request({ action: "subscribe", topic: "lobby" })).toMatchObject({ code: "forbidden" });
    await other.close();
  }

  it("come in by JWKS_URL", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const server = await startHttpAnswers();
    server.answer(jsonAnswer({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "2026" }] }));
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "EdDSA", kid: "2026" })}.${part(claims)}`;
    const token = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
    await expectCarol({ JWKS_URL: server.url, JWKS_ALGORITHM: "EdDSA" }, token);
    await server.close();
  });

  it("come in by AUTH_URL", async () => {
    const server = await startHttpAnswers();
    server.answer((response, { body }) =>
      JSON.parse(body).token === "carols-session" ? jsonAnswer(claims)(response) : jsonAnswer({}, 403)(response),
    );
    await expectCarol({ AUTH_URL: server.url }, "carols-session");
    const asked = JSON.parse(server.asked[1]?.body ?? "");
    expect(asked).toEqual({ token: "carols-session", service: "message-topic", sourceIp: "127.0.0.1" });
    await server.close();
  });
});
