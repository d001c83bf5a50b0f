import { once } from "node:events";
import { request } from "node:http";
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { connectRawClient, type Frame, type RawClient } from "@topicast/testing";
import WebSocket, { type ClientOptions } from "ws";
import { type ApplicationAccess, accessOf, type ClosedHost, startClosedHost } from "./closed-host.ts";
import { type Claims, forge, hmacWith, nowSeconds, RSA_PUBLIC_PEM, signedWithRsa } from "./forged-token.ts";

/*
 * Everybody who shouldn't come in, at every door: both services, over WebSocket and HTTP, in memory and over the wire. Each is refused with the code that
 * the protocol has for it, nothing tells whether an application or a topic exists, and neither what the host prints nor what it answers holds a secret.
 */

jest.setTimeout(120_000);

const ORIGIN = "https://game.example";
/** Stands in every payload. */
const PAYLOAD = "a-payload-that-is-nobodys-business";
const SERVICES = ["message-topic", "message-broadcast"] as const;

let host: ClosedHost;
let own: ApplicationAccess;
/** Of another application. */
let other: ApplicationAccess;
/** A key that may do things in `room/*` alone. */
let narrow: ApplicationAccess;
let mayOnlyRead: ApplicationAccess;
const gone: Record<"revoked" | "expired" | "deleted" | "disposed", ApplicationAccess> = {} as never;
/** What must never be seen. */
const secrets = new Set<string>([PAYLOAD]);
/** What was answered. */
const answers: string[] = [];

async function operate(method: string, path: string, body?: object): Promise<Frame> {
  const response = await fetch(host.http(`applications/apps${path}`), {
    method,
    headers: { authorization: `Bearer ${host.operatorKey}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? undefined : await response.json();
}

const keyOf = (made: { readonly key: string }) => remember(accessOf(made.key));

function remember(access: ApplicationAccess): ApplicationAccess {
  secrets.add(access.secret);
  return access;
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 100));
}

async function makeApplications(): Promise<void> {
  own = remember(host.access);
  secrets.add(host.operatorKey);
  other = keyOf(await operate("POST", "", { app: "other" }));
  narrow = keyOf(await operate("POST", "/default/keys", { topics: ["room/*"] }));
  mayOnlyRead = keyOf(await operate("POST", "/default/keys", { rights: ["subscribe", "history"] }));
  gone.revoked = keyOf(await operate("POST", "/default/keys"));
  gone.expired = keyOf(await operate("POST", "/default/keys", { expiresAt: Date.now() + 500 }));
  gone.deleted = keyOf(await operate("POST", "", { app: "deleted" }));
  gone.disposed = keyOf(await operate("POST", "", { app: "disposed", expiresAt: Date.now() + 500 }));
  await operate("DELETE", `/default/keys/${gone.revoked.keyId}`);
  await operate("DELETE", "/deleted");
  const isRefused = async ({ key }: ApplicationAccess) =>
    (await publish("message-topic", "room/1", { key })).status === 401;
  for (const access of Object.values(gone)) await until(() => isRefused(access));
}

describe.each([
  ["in memory", []],
  ["over the wire", ["--aws"]],
])("security, %s", (_, parameters) => {
  beforeAll(async () => {
    host = await startClosedHost(parameters, { ALLOWED_ORIGINS: ORIGIN });
    await makeApplications();
  });
  afterAll(() => host.stop());

  describe("a handshake", () => {
    const year = () => nowSeconds() + 365 * 86_400;
    const rows: [name: string, token: () => string | undefined, status?: number][] = [
      ["without a token", () => undefined],
      ["with an empty token", () => ""],
      ["with garbage", () => "x.y.z"],
      ["with a key for a token", () => own.key],
      ["with a wrong signature", () => forge(own, { signature: hmacWith("guessed") })],
      ["signed with the secret itself", () => forge(own, { signature: hmacWith(own.secret) })],
      ["with its signature left out", () => `${forge(own).split(".").slice(0, 2).join(".")}.`],
      ["with claims changed after signing", () => tampered(forge(own))],
      ["with alg none", () => forge(own, { header: { alg: "none" }, signature: () => "" })],
      ["with alg nOnE", () => forge(own, { header: { alg: "nOnE" }, signature: () => "" })],
      ["with alg HS512", () => forge(own, { header: { alg: "HS512" } })],
      ["signed by RS256", () => forge(own, { header: { alg: "RS256" }, signature: signedWithRsa })],
      ["signed by HMAC with a public RSA key", () => forge(own, { signature: hmacWith(RSA_PUBLIC_PEM) })],
      [
        "with a key of its own in the header",
        () => forge(own, { header: { jwk: { kty: "oct", k: "Zw" } }, signature: hmacWith("g") }),
      ],
      ["with a critical header that isn't known", () => forge(own, { header: { crit: ["x"], x: 1 } })],
      ["without a kid", () => forge(own, { header: { kid: undefined } })],
      ["of an application that there isn't", () => forge({ ...own, app: "nobody" })],
      ["of a key that there isn't", () => forge({ ...own, keyId: "zzz" })],
      ["of another application's key", () => forge({ ...other, app: own.app, keyId: own.keyId })],
      ["of a key that was revoked", () => forge(gone.revoked)],
      ["of a key that has expired", () => forge(gone.expired)],
      ["of an application that was deleted", () => forge(gone.deleted)],
      ["of an application that has expired", () => forge(gone.disposed)],
      ["that has expired", () => forge(own, { claims: { exp: nowSeconds() - 1 } })],
      ["that never expires", () => forge(own, { claims: { exp: undefined } })],
      ["that expires in words", () => forge(own, { claims: { exp: "tomorrow" } })],
      ["that isn't valid yet", () => forge(own, { claims: { nbf: nowSeconds() + 600 } })],
      ["for nobody", () => forge(own, { claims: { sub: undefined } })],
      ["for an empty name", () => forge(own, { claims: { sub: "" } })],
      ["for a name that is no text", () => forge(own, { claims: { sub: { toString: "alice" } } })],
      ["for a name of 200 characters", () => forge(own, { claims: { sub: "x".repeat(200) } })],
      ["with a cap that is a list", () => forge(own, { claims: { cap: ["room/*"] } })],
      ["with a cap of an unknown operation", () => forge(own, { claims: { cap: { "room/*": ["own"] } } })],
      ["with a cap of a bad pattern", () => forge(own, { claims: { cap: { "room/*/x": ["publish"] } } })],
      ["of 5 KB", () => forge(own, { claims: { exp: year(), filler: "x".repeat(3_700) } })],
    ];

    describe.each(SERVICES)("of %s", (service) => {
      it.each(rows)("%s is refused", async (_name, token, status = 401) => {
        const text = token();
        if (text !== undefined && text.length > 16) secrets.add(text);
        const given = await knock(service, text);
        expect(given.status).toBe(status);
      });

      it.each(["header", "query", "subprotocol"] as const)(
        "is let in and refused by its token as %s",
        async (place) => {
          const good = await open(service, forge(own), place);
          expect(good.socket.protocol).toBe(place === "subprotocol" ? "bearer" : "");
          await good.close();
          expect((await knock(service, forge(own, { signature: hmacWith("guessed") }), place)).status).toBe(401);
        },
      );

      it("of a foreign origin is refused, of ours and of none let in", async () => {
        const foreign = await knock(service, forge(own), "header", { origin: "https://evil.example" });
        expect(foreign.status).toBe(403);
        for (const options of [{ origin: ORIGIN }, {}])
          await (await open(service, forge(own), "header", options)).close();
      });

      it("with headers that are too large is refused", async () => {
        const headers = { "x-filler": "x".repeat(20_000) };
        expect((await knock(service, forge(own), "header", { headers })).status).toBe(431);
      });

      it("tells nothing of applications and keys", async () => {
        const strangers = [
          forge({ ...own, app: "nobody" }),
          forge({ ...own, keyId: "zzz" }),
          forge(own, { signature: hmacWith("x") }),
        ];
        const bodies = await Promise.all(strangers.map(async (token) => (await knock(service, token)).body));
        expect(new Set(bodies.map(withoutIds)).size).toBe(1);
      });
    });
  });

  /** Names that a cap or key for `room/*` doesn't open. */
  const NAMES: [topic: string, code: string][] = [
    ["room", "forbidden"],
    ["rooms/1", "forbidden"],
    ["Room/1", "forbidden"],
    ["комната/1", "forbidden"],
    ["ｒoom/1", "forbidden"],
    ["__proto__", "forbidden"],
    ["constructor/prototype", "forbidden"],
    ["x/room/1", "forbidden"],
    ["room/", "invalid_topic"],
    ["/room/1", "invalid_topic"],
    ["room//1", "invalid_topic"],
    ["room/../x", "invalid_topic"],
    ["room/./1", "invalid_topic"],
    ["room/*", "invalid_topic"],
    ["*", "invalid_topic"],
    ["$room/1", "invalid_topic"],
    ["room/1 ", "invalid_topic"],
    ["room/1\0", "invalid_topic"],
    ["room/e\u0301", "invalid_topic"],
  ];

  describe("a token for room/*", () => {
    let client: RawClient;
    beforeAll(async () => {
      client = await open("message-topic", forge(own));
    });
    afterAll(() => client.close());

    it.each(NAMES)("opens no topic %j", async (topic, code) => {
      const requests = [
        { action: "subscribe", topic },
        { action: "publish", topic, payload: PAYLOAD },
        { action: "history", topic, last: 1 },
      ];
      for (const request of requests) expect(await ask(client, request)).toMatchObject({ type: "error", code });
    });

    it.each(NAMES.filter(([topic]) => !topic.includes("\0")))("opens no room %j", async (room, code) => {
      const { status, body } = await knock("message-broadcast", forge(own), "header", {}, room);
      expect([status, JSON.parse(body).code]).toEqual([code === "forbidden" ? 403 : 400, code]);
    });

    it("opens those below", async () => {
      for (const topic of ["room/1", "room/1/x", "room/é", "room/__proto__", "room/комната"]) {
        expect(await ask(client, { action: "subscribe", topic })).toMatchObject({ type: "ack", topic, you: "alice" });
      }
    });

    it("is asked about each operation by itself", async () => {
      const reader = await open("message-topic", forge(own, { claims: { cap: { "room/*": ["subscribe"] } } }));
      expect(await ask(reader, { action: "subscribe", topic: "room/1" })).toMatchObject({ type: "ack" });
      const refused = [
        { action: "publish", topic: "room/1", payload: PAYLOAD },
        { action: "history", topic: "room/1", last: 1 },
      ];
      for (const request of refused) expect(await ask(reader, request)).toMatchObject({ code: "forbidden" });
      await reader.close();
    });

    it("of a key with fewer rights has no more than those", async () => {
      const everything = { "*": ["subscribe", "publish", "history"] };
      const reader = await open("message-topic", forge(mayOnlyRead, { claims: { cap: everything } }));
      expect(await ask(reader, { action: "subscribe", topic: "lobby" })).toMatchObject({ type: "ack" });
      expect(await ask(reader, { action: "publish", topic: "lobby", payload: PAYLOAD })).toMatchObject({
        code: "forbidden",
      });
      await reader.close();
      const inRooms = await open("message-topic", forge(narrow, { claims: { cap: everything } }));
      expect(await ask(inRooms, { action: "subscribe", topic: "lobby" })).toMatchObject({ code: "forbidden" });
      await inRooms.close();
    });

    it.each([
      ["no cap", { cap: undefined }],
      ["an empty cap", { cap: {} }],
      ["a cap without operations", { cap: { "room/*": [] } }],
    ] satisfies [string, Claims][])("with %s may do nothing", async (_name, claims) => {
      const token = forge(own, { claims });
      const nobody = await open("message-topic", token);
      for (const action of ["subscribe", "publish", "history"]) {
        const request = { action, topic: "room/1", ...(action === "publish" ? { payload: PAYLOAD } : { last: 1 }) };
        expect(await ask(nobody, request)).toMatchObject({ type: "error", code: "forbidden" });
      }
      const places = { "room/1": { epoch: "x", seq: 0 } };
      expect(await ask(nobody, { action: "ping", places })).toMatchObject({ code: "forbidden" });
      await nobody.close();
      expect((await knock("message-broadcast", token)).status).toBe(403);
    });

    it("learns nothing of topics that it may not have", async () => {
      await publish("message-topic", "secret/known", { key: own.key });
      const known = await ask(client, { action: "subscribe", topic: "secret/known" });
      const unknown = await ask(client, { action: "subscribe", topic: "secret/never" });
      expect(withoutIds(JSON.stringify(known)).replaceAll("known", "never")).toBe(withoutIds(JSON.stringify(unknown)));
    });

    it("may publish in a broadcast room only where it says so", async () => {
      const listener = await open("message-broadcast", forge(own, { claims: { cap: { "room/*": ["subscribe"] } } }));
      listener.send({ text: PAYLOAD });
      expect(await listener.frame(({ type }) => type === "error")).toMatchObject({ code: "forbidden" });
      await listener.close();
    });
  });

  describe("what a client says of itself", () => {
    it("is not believed: `from` in a topic", async () => {
      const client = await open("message-topic", forge(own));
      await ask(client, { action: "subscribe", topic: "room/forged" });
      await ask(client, { action: "publish", topic: "room/forged", payload: 1, from: "bob" });
      const { messages } = await client.frame(({ type }) => type === "messages");
      expect(messages[0].from).toBe("alice");
      await client.close();
    });

    it("is not believed: `_me`, `_from`, `_seq` in a room", async () => {
      const [alice, bob] = await Promise.all([
        open("message-broadcast", forge(own)),
        open("message-broadcast", forge(own, { claims: { sub: "bob" } })),
      ]);
      alice.send({ _me: true, _from: "bob", _seq: 999, _now: 1, text: 1 });
      const frame = await bob.frame(({ text }) => text === 1);
      expect(frame).toMatchObject({ _me: false, _from: "alice" });
      expect(frame._seq).toBeLessThan(999);
      await Promise.all([alice.close(), bob.close()]);
    });

    it("with `__proto__` is passed on as it is and changes nobody", async () => {
      const client = await open("message-topic", forge(own));
      const texts: string[] = [];
      client.socket.on("message", (data) => texts.push(data.toString()));
      await ask(client, { action: "subscribe", topic: "room/proto" });
      client.send(
        '{"action":"publish","id":"p","topic":"room/proto","payload":{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}},"__proto__":{"echo":false}}',
      );
      expect(await client.frame(({ id }) => id === "p")).toMatchObject({ type: "ack" });
      await client.frame(({ type }) => type === "messages");
      expect(texts.find((text) => text.includes('"messages"'))).toContain('{"__proto__":{"admin":true},"constructor"');
      const { body } = await publish("message-topic", "lobby", { key: mayOnlyRead.key });
      expect(JSON.parse(body)).toMatchObject({ code: "forbidden" });
      await client.close();
    });

    it("in a frame that is too large ends it", async () => {
      const client = await open("message-topic", forge(own));
      client.send({ action: "publish", topic: "room/1", payload: "x".repeat(33_000) });
      expect((await client.closed).code).toBe(1009);
    });
  });

  describe.each(SERVICES)("an HTTP request to %s", (service) => {
    const rows: [name: string, headers: () => Record<string, string>, status: number, code: string][] = [
      ["without a key", () => ({}), 401, "unauthorized"],
      ["with an empty key", () => ({ authorization: "Bearer " }), 401, "unauthorized"],
      ["with a key in another scheme", () => ({ authorization: `Basic ${own.key}` }), 401, "unauthorized"],
      ["with garbage", () => ({ authorization: "Bearer x" }), 401, "unauthorized"],
      ["with a wrong secret", () => bearer(`default.${own.keyId}:${"x".repeat(43)}`), 401, "unauthorized"],
      ["with another application's secret", () => bearer(`default.${own.keyId}:${other.secret}`), 401, "unauthorized"],
      ["with a token for a key", () => bearer(forge(own)), 401, "unauthorized"],
      ["with the operator's key", () => bearer(host.operatorKey), 401, "unauthorized"],
      ["with a key that was revoked", () => bearer(gone.revoked.key), 401, "unauthorized"],
      ["with a key that has expired", () => bearer(gone.expired.key), 401, "unauthorized"],
      ["of an application that was deleted", () => bearer(gone.deleted.key), 401, "unauthorized"],
      ["of an application that has expired", () => bearer(gone.disposed.key), 401, "unauthorized"],
      ["with a key of 5 KB", () => bearer(`default.k1:${"x".repeat(5_000)}`), 401, "unauthorized"],
      ["with a key that may not publish", () => bearer(mayOnlyRead.key), 403, "forbidden"],
      ["of a foreign origin", () => ({ ...bearer(own.key), origin: "https://evil.example" }), 403, "forbidden"],
    ];

    it.each(rows)("%s is refused", async (_name, headers, status, code) => {
      const answer = await publish(service, "room/1", { headers: headers() });
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([status, code]);
      expect(answer.type).toBe("application/problem+json");
    });

    it.each(NAMES.filter(([topic]) => !topic.includes("\0")))(
      "with a key for room/* opens no %j",
      async (topic, code) => {
        const answer = await publish(service, topic, { key: narrow.key });
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([code === "forbidden" ? 403 : 400, code]);
      },
    );

    it("with headers that are too large is refused", async () => {
      const answer = await publish(service, "room/1", {
        headers: { ...bearer(own.key), "x-filler": "x".repeat(20_000) },
      });
      expect(answer.status).toBe(431);
    });

    it("with a body that is too large is refused", async () => {
      const answer = await publish(service, "room/1", { key: own.key, payload: PAYLOAD.repeat(6_000) });
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([413, "payload_too_large"]);
    });

    it("tells nothing of applications and keys", async () => {
      const strangers = [`nobody.k1:${own.secret}`, `default.zzz:${own.secret}`, `default.k1:${"x".repeat(43)}`];
      const bodies = await Promise.all(strangers.map(async (key) => (await publish(service, "room/1", { key })).body));
      expect(new Set(bodies.map(withoutIds)).size).toBe(1);
    });
  });

  it.each(["", "/default", "/default/keys"])("the operator's API at /apps%s is for the operator", async (path) => {
    for (const key of [undefined, own.key, "x".repeat(43), `${host.operatorKey}x`]) {
      const response = await fetch(host.http(`applications/apps${path}`), { headers: key ? bearer(key) : {} });
      const body = await response.text();
      answers.push(body);
      expect([response.status, JSON.parse(body).code]).toEqual([401, "unauthorized"]);
    }
  });

  it("@connections is for whom the host gave its credentials", async () => {
    const client = await open("message-topic", forge(own));
    const { connectionId } = await ask(client, { action: "ping" });
    const url = host.http(`message-topic/@connections/${encodeURIComponent(connectionId)}`);
    for (const method of ["POST", "GET", "DELETE"]) {
      const response = await fetch(url, { method, ...(method === "POST" && { body: PAYLOAD }) });
      expect(response.status).toBe(403);
    }
    const sdk = new ApiGatewayManagementApiClient({
      endpoint: host.http("message-topic"),
      region: "us-east-1",
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "guessed" },
    });
    const post = sdk.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(PAYLOAD) }));
    await expect(post).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    expect(await ask(client, { action: "ping" })).toMatchObject({ type: "pong" });
    expect(client.frames.filter(({ type }) => type !== "pong")).toEqual([]);
    await client.close();
  });

  it("what the host prints and answers holds no token, key or payload", () => {
    // It did say something.
    expect(host.printed()).toContain("A token was refused.");
    expect(answers.length).toBeGreaterThan(100);
    for (const text of [host.printed(), ...answers]) {
      for (const secret of secrets) expect(text.includes(secret) && secret).toBe(false);
    }
  });
});

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** What differs between two answers that are the same. */
function withoutIds(text: string): string {
  return text.replaceAll(/"(requestId|connectionId|id)":\s*"[^"]*"/g, "");
}

function tampered(token: string): string {
  const [head, , signature] = token.split(".");
  const claims = { sub: "root", exp: nowSeconds() + 60, cap: { "*": ["publish"] } };
  return `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
}

type Place = "header" | "query" | "subprotocol";

function addressOf(service: string, token: string | undefined, place: Place, options: ClientOptions, room = "room/1") {
  const query = new URLSearchParams({
    ...(service === "message-broadcast" && { room_id: room }),
    ...(place === "query" && token !== undefined && { token }),
  });
  return {
    url: `${host.ws(service)}?${query}`,
    protocols: place === "subprotocol" && token !== undefined ? ["bearer", token] : [],
    options: {
      ...options,
      headers: { ...options.headers, ...(place === "header" && token !== undefined && bearer(token)) },
    },
  };
}

async function open(
  service: string,
  token: string,
  place: Place = "header",
  options: ClientOptions = {},
): Promise<RawClient> {
  const address = addressOf(service, token, place, options);
  return connectRawClient(address.url, { ...address.options }, address.protocols);
}

/** A handshake that is to be refused: how it was. */
function knock(
  service: string,
  token: string | undefined,
  place: Place = "header",
  options: ClientOptions = {},
  room?: string,
): Promise<{ status: number; body: string }> {
  const address = addressOf(service, token, place, options, room);
  const socket = new WebSocket(address.url, address.protocols, address.options);
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.terminate();
      resolve({ status: 101, body: "" });
    });
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (data) => {
        body += data;
      });
      response.on("end", () => {
        answers.push(body);
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
  });
}

async function ask(client: RawClient, request: object): Promise<Frame> {
  const answer = await client.request(request);
  if (answer.type === "error") answers.push(JSON.stringify(answer));
  return answer;
}

interface Publish {
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly payload?: string;
}

/** Publishes to a topic, or to a room. */
async function publish(service: string, topic: string, { key, headers = {}, payload = PAYLOAD }: Publish) {
  const path =
    service === "message-topic"
      ? `topics/${topic.split("/").map(encodeURIComponent).join("/")}/messages`
      : `messages?room_id=${encodeURIComponent(topic)}`;
  // Not `fetch`, which would tidy up `/../` in a path.
  const response = await send(
    host.port,
    `/${service}/${path}`,
    { ...headers, ...(key !== undefined && bearer(key)) },
    JSON.stringify({ payload }),
  );
  if (response.status >= 400) answers.push(response.body);
  return response;
}

async function send(port: number, path: string, headers: Record<string, string>, body: string) {
  const sent = request({ port, path, method: "POST", headers: { "content-type": "application/json", ...headers } });
  sent.end(body);
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode as number, type: response.headers["content-type"] as string, body: text };
}
