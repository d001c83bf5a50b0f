import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { HostOptions } from "@topicast/local";
import { aKnownKey, anApplication, connectRawClient } from "@topicast/testing";
import { type BroadcastHost, startBroadcastHost } from "./broadcast-host.ts";

// Emulators of DynamoDB and SQS are slower than memory.
jest.setTimeout(60_000);

const ENCRYPTION_KEY = "an encryption key of 32 characters";

let host: BroadcastHost;
afterEach(() => host.close());

/** The same service over the drivers of a laptop and over those of AWS. */
const BACKENDS: readonly [string, Partial<HostOptions>][] = [
  ["in memory", {}],
  ["over the wire", { wire: { visibilityTimeoutSeconds: 5 } }],
];

async function call(route: string, headers: Record<string, string> = {}) {
  const [method = "GET", path = "/"] = route.split(" ");
  const response = await fetch(`${host.httpUrl}${path}`, { method, headers });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

describe.each(BACKENDS)("%s, a backend", (_, backend) => {
  it("looks at a room, and at one of its connections, which it closes", async () => {
    host = await startBroadcastHost(backend);
    const [alice, bob] = [
      await connectRawClient(`${host.wsUrl}?room_id=jam/7`),
      await connectRawClient(`${host.wsUrl}?room_id=jam/7`),
    ];
    alice.send({ x: 1 });
    const { _from: id, _epoch: epoch } = await bob.frame(({ x }) => x === 1);
    const room = { room: "jam/7", epoch, seq: 1, subscribers: 2 };
    expect(await call("GET /rooms/jam/7")).toEqual({ status: 200, body: room });
    expect(await call(`GET /connections/${id}`)).toMatchObject({ status: 200, body: { connectionId: id, from: id } });

    expect(await call(`DELETE /connections/${id}`)).toEqual({ status: 204, body: undefined });
    await alice.closed;
    expect(alice.frames.at(-1)).toEqual({ type: "closing", reason: "kicked", reconnect: false });
    expect((await call("GET /rooms/jam%2F7")).body).toMatchObject({ subscribers: 1 });
    expect((await call(`DELETE /connections/${id}`)).status).toBe(404);
  });
});

it("refuses what isn't there, and a room that can't be", async () => {
  host = await startBroadcastHost();
  expect(await call("GET /rooms/a%20b")).toMatchObject({ status: 400, body: { code: "invalid_topic" } });
  const unknown = await call("GET /connections/AAAAAAAAAAAAAAA=");
  expect(unknown).toMatchObject({ status: 404, body: { code: "not_found", requestId: expect.any(String) } });
});

it("lets only keys with the right look and close, and each application see its own", async () => {
  host = await startBroadcastHost({ environment: { OPEN: "", ENCRYPTION_KEY } });
  const { apps } = host.ports("message-broadcast");
  const [red, blue] = ["red", "blue"].map((app) => aKnownKey({ app, encryptionKey: ENCRYPTION_KEY }));
  const publisher = aKnownKey(
    { app: "red", keyId: "k2", encryptionKey: ENCRYPTION_KEY },
    { grants: red!.stored.grants.map(({ topics }) => ({ topics, rights: ["publish"] as const })) },
  );
  await apps.create(anApplication({ name: "red", keys: [red!.stored, publisher.stored] }));
  await apps.create(anApplication({ name: "blue", keys: [blue!.stored] }));
  const bearer = ({ key }: { readonly key: string }) => ({ authorization: `Bearer ${key}` });
  const post = (key: { readonly key: string }) =>
    fetch(`${host.httpUrl}/messages?room_id=a`, { method: "POST", body: "hi", headers: bearer(key) });
  expect((await post(red!)).status).toBe(202);
  expect((await call("GET /rooms/a", bearer(red!))).body).toMatchObject({ seq: 1 });
  expect((await call("GET /rooms/a", bearer(blue!))).body).toMatchObject({ seq: 0 });
  for (const route of ["GET /rooms/a", "GET /connections/x", "DELETE /connections/x"]) {
    expect((await call(route, bearer(publisher))).status).toBe(403);
    expect((await call(route)).status).toBe(401);
  }
});
