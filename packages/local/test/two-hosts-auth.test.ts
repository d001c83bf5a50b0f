import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { mintToken } from "@topicast/core/mint-token";
import { connectRawClient, type RawClient, type RedisServer, startRedisServer } from "@topicast/testing";
import type { Credentials } from "../src/credentials.ts";
import { type Host, type HostOptions, StartError } from "../src/index.ts";
import { createPeerClient } from "../src/peer-client.ts";
import { postBody } from "../src/peer-posts.ts";
import { createRequestSigner } from "../src/request-signer.ts";
import { startOnRedis, webSocketUrl } from "./hosts-on-redis.ts";

// The first start builds the services' bundles.
jest.setTimeout(60_000);

const KEY = `default.k1:${"s".repeat(32)}`;
const OPERATOR = "o".repeat(32);
const ENCRYPTION_KEY = "e".repeat(32);

let redis: RedisServer;
let hosts: Host[] = [];
beforeAll(async () => {
  redis = await startRedisServer();
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  hosts = [];
});
afterAll(() => redis.stop());

interface Keys {
  readonly auth: HostOptions["auth"];
  readonly encryptionKey?: string;
}

const SAME: Keys = { auth: { application: KEY, operator: OPERATOR }, encryptionKey: ENCRYPTION_KEY };

async function start({ auth = false, encryptionKey = "" }: Keys): Promise<Host> {
  const host = await startOnRedis(redis.url, { auth, env: { ENCRYPTION_KEY: encryptionKey } });
  hosts.push(host);
  return host;
}

async function subscribe(host: Host): Promise<RawClient> {
  const cap = { "*": ["subscribe", "publish"] } as const;
  const token = await mintToken({ key: KEY, sub: "alice", cap, lifetimeMs: 60_000, clock: { now: Date.now } });
  if (!token.ok) throw new Error(token.fault.message);
  const headers = { authorization: `Bearer ${token.value}` };
  const client = await connectRawClient(webSocketUrl(host, "message-topic"), { headers });
  expect(await client.request({ action: "subscribe", topic: "room/1" })).toMatchObject({ type: "ack" });
  return client;
}

describe("hosts on one Redis, with closed doors,", () => {
  it("reach one another's connections where their keys are the same, and nobody else does", async () => {
    const [here, there] = [await start(SAME), await start(SAME)];
    const yours = await subscribe(there);
    const published = await fetch(`${here.url}/message-topic/topics/room/1/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}` },
      body: '{"payload":"signed"}',
    });
    expect(published.status).toBe(202);
    await yours.frame(({ messages }) => messages?.[0].payload === "signed");

    const { connectionId } = await yours.request({ action: "ping" });
    const body = `${connectionId}\n"forged"`;
    const forged = await fetch(`${there.url}/message-topic/@connections`, { method: "POST", body });
    expect([forged.status, forged.headers.get("x-amzn-errortype")]).toEqual([
      403,
      "MissingAuthenticationTokenException",
    ]);
    expect((await fetch(`${there.url}/message-topic/@connections`)).status).toBe(403);
  });

  it("take no posts that are signed for another of them", async () => {
    const [here, there] = [await start(SAME), await start(SAME)];
    const sign = createRequestSigner(here.credentials as Credentials, "us-east-1");
    const request = { method: "POST" as const, path: "/@connections", body: postBody(["MmNOPQRSTUVWXA="], "replayed") };
    const statusAt = async (host: Host, signedFor: Host) => {
      const address = new URL(`${host.url}/message-topic`);
      const signedHost = new URL(signedFor.url).host;
      const client = createPeerClient(address, (unsigned) => sign({ ...unsigned, host: signedHost }));
      const { status } = await client.send({ ...request, timeoutMs: 5_000 });
      client.close();
      return status;
    };
    expect(await statusAt(there, there)).toBe(200);
    expect(await statusAt(there, here)).toBe(421);
  });

  it("find what they left behind", async () => {
    await (await start(SAME)).close();
    hosts = [];
    await subscribe(await start(SAME));
  });

  const refused = /^Hosts on this Redis run with other keys, or without --auth: /;
  it.each<[string, Keys, RegExp]>([
    ["open doors", { auth: false }, refused],
    ["another encryption key", { ...SAME, encryptionKey: "f".repeat(32) }, refused],
    ["another operator's key", { ...SAME, auth: { application: KEY, operator: "p".repeat(32) } }, refused],
    ["fresh keys", { auth: true, encryptionKey: ENCRYPTION_KEY }, /^With --store redis, --auth needs TOPICAST_KEY, /],
    ["a fresh encryption key", { auth: SAME.auth }, /^With --store redis, --auth needs TOPICAST_KEY, /],
  ])("refuse one with %s", async (_what, keys, message) => {
    await start(SAME);
    const starting = start(keys);
    await expect(starting).rejects.toThrow(StartError);
    await expect(starting).rejects.toThrow(message);
  });

  it("refuse one whose key isn't the application's, when they have all stopped too", async () => {
    await (await start(SAME)).close();
    hosts = [];
    const application = `default.k1:${"t".repeat(32)}`;
    const starting = start({ ...SAME, auth: { application, operator: OPERATOR } });
    await expect(starting).rejects.toThrow(/^The application "default" can't be created: 400 There is an application /);
  });

  it("keep their store, and one another", async () => {
    const host = await start(SAME);
    await expect(host.reload({ environment: { STORE: "memory" } })).rejects.toThrow("Another store needs a restart");
    expect(await host.reload({ env: { ENCRYPTION_KEY: "f".repeat(32) } })).toEqual({ changed: ["ENCRYPTION_KEY"] });
    await subscribe(await start(SAME));
  });
});
