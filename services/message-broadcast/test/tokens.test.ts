import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { mintToken } from "@topicast/core";
import type { JsonObject } from "@topicast/protocol";
import { aKnownKey, anApplication, connectRawClient, type Frame } from "@topicast/testing";
import { type BroadcastHost, startBroadcastHost } from "./broadcast-host.ts";

jest.setTimeout(30_000);

const ENCRYPTION_KEY = "an encryption key of 32 characters";

let host: BroadcastHost;
let key = "";

beforeAll(async () => {
  host = await startBroadcastHost({ environment: { OPEN: "", ENCRYPTION_KEY } });
  const known = aKnownKey({ app: "game", encryptionKey: ENCRYPTION_KEY });
  key = known.key;
  await host.ports("message-broadcast").apps.create(anApplication({ name: "game", keys: [known.stored] }));
});
afterAll(() => host.close());

async function tokenWith(cap?: JsonObject, sub = "alice"): Promise<string> {
  const token = await mintToken({ key, sub, lifetimeMs: 60_000, ...(cap && { cap }) });
  if (!token.ok) throw new Error(token.fault.message);
  return token.value;
}

const EVERYTHING = { "*": ["subscribe", "publish"] };
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const room = (name: string) => `${host.wsUrl}?room_id=${name}`;

describe("a token is taken", () => {
  it.each<[string, (token: string) => Parameters<typeof connectRawClient>]>([
    ["from the header Authorization", (token) => [room("a"), bearer(token)]],
    ["from the query", (token) => [`${room("a")}&token=${token}`]],
    ["from the subprotocols", (token) => [room("a"), {}, ["bearer", token]]],
  ])("%s", async (_, connection) => {
    const client = await connectRawClient(...connection(await tokenWith(EVERYTHING)));
    client.send({ x: 1, _from: "mallory" });
    expect(await client.frame(({ x }) => x === 1)).toMatchObject({ _from: "alice", _me: true });
    await client.close();
  });

  it("and bearer is answered to who offers it", async () => {
    const client = await connectRawClient(room("a"), {}, ["bearer", await tokenWith(EVERYTHING)]);
    expect(client.socket.protocol).toBe("bearer");
    await client.close();
  });
});

describe("before the upgrade", () => {
  it.each([
    ["no token", 401, ""],
    ["garbage", 401, "&token=garbage"],
  ])("%s is answered %d", async (_, status, query) => {
    await expect(connectRawClient(`${room("a")}${query}`)).rejects.toThrow(String(status));
  });

  it.each([
    ["another room's cap", { "b/*": ["subscribe", "publish"], ab: ["subscribe"] }],
    ["a cap that may only publish", { a: ["publish"] }],
    ["no cap", undefined],
  ])("%s is answered 403: the token is good, and this room not its own", async (_, cap) => {
    await expect(connectRawClient(room("a"), bearer(await tokenWith(cap)))).rejects.toThrow("403");
  });
});

it("who may only subscribe hears others, and is told that it may not speak", async () => {
  const listener = await connectRawClient(room("hall"), bearer(await tokenWith({ hall: ["subscribe"] }, "bob")));
  const speaker = await connectRawClient(room("hall"), bearer(await tokenWith(EVERYTHING)));
  listener.send("psst");
  expect(await listener.frame(({ type }: Frame) => type === "error")).toEqual({
    type: "error",
    code: "forbidden",
    message: "This token or key may not publish to hall.",
  });
  speaker.send("hello");
  expect(await listener.frame(({ data }: Frame) => data !== undefined)).toMatchObject({
    data: "hello",
    _from: "alice",
  });
  expect(speaker.frames.filter(({ data }) => data === "psst")).toEqual([]);
  for (const client of [listener, speaker]) await client.close();
});
