import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { UnavailableError } from "@topicast/core";
import { CODES } from "@topicast/protocol";
import type { Frame, RawClient } from "@topicast/testing";
import { type ChannelName, documentedMessages, expectDocumentedFrames, sendDocumented } from "./asyncapi-clients.ts";
import { type ConnectOptions, type ContractHost, startContractHost, TOKEN_LIFE_MS } from "./contract-host.ts";

jest.setTimeout(60_000);

const SUBSCRIPTIONS_MAX = 3;
const MESSAGES_PER_SECOND_MAX = 60;

let host: ContractHost;
beforeAll(async () => {
  host = await startContractHost({
    SUBSCRIPTIONS_MAX: `${SUBSCRIPTIONS_MAX}`,
    MESSAGES_PER_SECOND_MAX: `${MESSAGES_PER_SECOND_MAX}`,
  });
});
afterAll(() => host.close());

const seen = new Set<string>();
const codes = new Set<string>();
const clients: [ChannelName, RawClient][] = [];

async function connect(channel: ChannelName, options: ConnectOptions = {}): Promise<RawClient> {
  const client = await host.connect(`message-${channel}`, options);
  clients.push([channel, client]);
  return client;
}

let requests = 0;
/** Sends a documented request and resolves with what answers it. */
async function request(client: RawClient, fields: object): Promise<Frame> {
  requests += 1;
  const id = `r${requests}`;
  sendDocumented(client, { id, ...fields }, seen);
  return client.frame((frame) => frame.id === id);
}

/** Sends what is not documented, or not to succeed. */
async function refused(client: RawClient, fields: object): Promise<string> {
  const { type, code } = await client.request(fields);
  expect(type).toBe("error");
  codes.add(code);
  return code;
}

const is = (type: string) => (frame: Frame) => frame.type === type;

describe("message-topic", () => {
  it("does what is documented", async () => {
    const [alice, bob] = [await connect("topic"), await connect("topic")];
    const joined = await request(bob, { action: "subscribe", topic: "room/1" });
    const { epoch, seq } = joined;
    await request(alice, { action: "subscribe", topic: "room/1", since: { epoch, seq } });
    await request(alice, { action: "publish", topic: "room/1", payload: { x: 1 }, key: "k1", echo: false });
    sendDocumented(alice, { action: "publish", topic: "room/1", payloads: [1, "x", null] }, seen);
    await request(alice, { action: "publish", topic: "room/1", payload: [], latest: "position" });
    await bob.count(3, is("messages"));
    await request(bob, { action: "subscribe", topic: "room/1", last: 2 });
    await request(bob, { action: "history", topic: "room/1", since: { epoch, seq }, limit: 1 });
    await request(bob, { action: "history", topic: "room/1", last: 1 });
    await request(bob, { action: "ping" });
    const pong = await request(bob, { action: "ping", places: { "room/1": { epoch, seq } } });
    expect(pong.behind).toEqual(["room/1"]);
    await request(alice, { action: "unsubscribe", topic: "room/1" });
  });

  it("ends subscriptions as documented", async () => {
    const client = await connect("topic");
    await request(client, { action: "subscribe", topic: "old" });
    const headers = { authorization: `Bearer ${host.keys.application}` };
    await fetch(`${host.url}/message-topic/topics/old`, { method: "DELETE", headers });
    await client.frame(is("closing"));
  });

  it("brings what backends send as documented", async () => {
    const client = await connect("topic", { user: "bob" });
    const headers = { authorization: `Bearer ${host.keys.application}` };
    const body = JSON.stringify({ payload: { done: true }, from: "jobs" });
    await fetch(`${host.url}/message-topic/users/bob/messages`, { method: "POST", headers, body });
    await client.frame(is("direct"));
    await fetch(`${host.url}/message-topic/users/bob/connections`, { method: "DELETE", headers });
    await client.frame(is("closing"));
  });

  it("refuses with documented codes", async () => {
    const client = await connect("topic", { cap: { "room/*": ["subscribe"] } });
    expect(await refused(client, { action: "publish", topic: "room/1" })).toBe("bad_request");
    expect(await refused(client, { action: "dance" })).toBe("unknown_action");
    expect(await refused(client, { action: "subscribe", topic: "a b" })).toBe("invalid_topic");
    expect(await refused(client, { action: "history", topic: "room/1", last: 1 })).toBe("forbidden");
    // Written out these are longer than a frame.
    const long = `{"action":"publish","id":"long","topic":"room/1","payload":[${Array(5_000).fill("1e20").join()}]}`;
    client.send(long);
    codes.add((await client.frame(({ id }) => id === "long")).code);
    for (let n = 0; n < SUBSCRIPTIONS_MAX; n++) await request(client, { action: "subscribe", topic: `room/${n}` });
    expect(await refused(client, { action: "subscribe", topic: "room/last" })).toBe("too_many_subscriptions");
  });

  it("says so where a store fails", async () => {
    const client = await connect("topic");
    const subscribing = () => refused(client, { action: "subscribe", topic: "room/1" });
    const port = "connections";
    expect(await host.whileFailing({ port, error: new UnavailableError("store", "down") }, subscribing)).toBe(
      "unavailable",
    );
    expect(await host.whileFailing({ port, error: new Error("a mistake") }, subscribing)).toBe("internal");
  });

  it("is slow with who asks too much", async () => {
    const client = await connect("topic");
    for (let n = 0; n < 2 * MESSAGES_PER_SECOND_MAX; n++) sendDocumented(client, { action: "ping" }, seen);
    codes.add((await client.frame(is("error"))).code);
  });
});

describe("message-broadcast", () => {
  it("does what is documented", async () => {
    const query = "?room_id=room/1";
    const alice = await connect("broadcast", { query });
    for (const message of [{ type: "act", _me: "forged" }, "plain text", [1]]) alice.send(message);
    seen.add("broadcast.receive.anything");
    const [first] = await alice.count(3, ({ _now }) => _now !== undefined);
    alice.send("ping");
    await alice.frame(is("pong"));
    const bob = await connect("broadcast", { query: `${query}&since=${first._epoch}:${first._seq}` });
    await bob.frame(is("recovery"));
    await bob.count(2, ({ _me }) => _me === false);
  });

  it("refuses with documented codes", async () => {
    const client = await connect("broadcast", { cap: { lobby: ["subscribe"] } });
    client.send("hi");
    codes.add((await client.frame(is("error"))).code);
  });
});

it("a token's end is told as documented", async () => {
  const ended = [await connect("topic"), await connect("broadcast")];
  host.skip(TOKEN_LIFE_MS);
  for (const client of ended) {
    client.send({ action: "ping" });
    await client.frame(is("closing"));
  }
});

/** No frame has these: there is nothing to be found or to run out of; who isn't known is refused with the handshake, or told `closing`. */
const ELSEWHERE = ["not_found", "quota_exceeded", "unauthorized"];

it("everything that came is documented, and everything documented came", () => {
  for (const [channel, client] of clients) expectDocumentedFrames(channel, client, seen);
  expect([...seen].sort()).toEqual([...documentedMessages()].sort());
  expect([...codes, ...ELSEWHERE].sort()).toEqual(Object.keys(CODES).sort());
});
