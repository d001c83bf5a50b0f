import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { ConnectionGateway } from "@topicast/core";
import type { HostOptions } from "@topicast/local";
import { connectRawClient, type Frame, type RawClient } from "@topicast/testing";
import { createHttpClient } from "./http-client.ts";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// Emulators of DynamoDB and SQS are slower than memory.
jest.setTimeout(60_000);

let host: TopicHost;
afterEach(() => host.close());

const call = createHttpClient(() => host.httpUrl);

/** The same service over the drivers of a laptop and over those of AWS. */
const BACKENDS: readonly [string, Partial<HostOptions>][] = [
  ["in memory", {}],
  ["over the wire", { wire: { visibilityTimeoutSeconds: 5 } }],
];

const kicked = { type: "closing", reason: "kicked", reconnect: false };
const isDirect = ({ type }: Frame) => type === "direct";

/** A connection, its id, and who it is. Connections with the same secret are one user's. */
async function join(secret?: string) {
  const client = await connectRawClient(`${host.wsUrl}${secret === undefined ? "" : `?client=${secret}`}`);
  const { connectionId: id, you } = await client.request({ action: "ping" });
  return { client, id: id as string, user: you as string };
}

/** That a client was told, and cut off. */
async function expectKicked({ frames, closed }: RawClient) {
  await closed;
  expect(frames.at(-1)).toEqual(kicked);
}

const ALICE = "alice-0123456789abcdef";
const BOB = "bob-0123456789abcdef";

describe.each(BACKENDS)("%s, a backend", (_, backend) => {
  it("sees where a topic stands, and who subscribes to it, page by page", async () => {
    host = await startTopicHost(backend);
    const members = [await join(ALICE), await join(BOB), await join()];
    for (const { client } of members) await client.request({ action: "subscribe", topic: "room/1" });
    const { body: published } = await call("POST /topics/room/1/messages", { payloads: [1, 2] });
    const { status, body } = await call("GET /topics/room%2F1");
    expect([status, body]).toEqual([200, { ...published, subscribers: 3 }]);

    const first = await call("GET /topics/room/1/subscribers?limit=2");
    const { cursor } = first.body;
    const second = await call(`GET /topics/room/1/subscribers?limit=2&cursor=${cursor}`);
    expect([first.body.subscribers.length, second.body.subscribers.length]).toEqual([2, 1]);
    expect(second.body.cursor).toBeUndefined();
    const byId = (a: Frame, b: Frame) => a.connectionId.localeCompare(b.connectionId);
    expect([...first.body.subscribers, ...second.body.subscribers].sort(byId)).toEqual(
      members.map(({ id, user }) => ({ connectionId: id, from: user, subscribedAt: expect.any(Number) })).sort(byId),
    );
    expect((await call("GET /topics/room/1/subscribers?cursor=made-up")).body).toMatchObject({ code: "bad_request" });
    expect((await call("GET /topics/empty")).body).toMatchObject({ topic: "empty", seq: 0, subscribers: 0 });
  });

  it("sends to all connections of a user, and to one", async () => {
    host = await startTopicHost(backend);
    const [one, two, other] = [await join(ALICE), await join(ALICE), await join(BOB)];
    const toUser = await call(`POST /users/${one.user}/messages`, { payload: { done: true }, from: "jobs" });
    expect([toUser.status, toUser.body]).toEqual([202, { connections: 2 }]);
    const frame = { type: "direct", payload: { done: true }, from: "jobs", time: expect.any(Number) };
    for (const { client } of [one, two]) expect(await client.frame(isDirect)).toEqual(frame);

    const toOne = await call(`POST /connections/${encodeURIComponent(other.id)}/messages`, { payload: null });
    expect([toOne.status, toOne.body]).toEqual([202, { connections: 1 }]);
    expect(await other.client.frame(isDirect)).toEqual({ type: "direct", payload: null, time: expect.any(Number) });
    expect((await call("POST /users/a/b%2Fc/messages", { payload: 1 })).body).toEqual({ connections: 0 });
  });

  it("looks at a connection and closes it, who is told and cut off", async () => {
    host = await startTopicHost(backend);
    const { client, id, user } = await join(ALICE);
    const path = `/connections/${id}`;
    const { status, body } = await call(`GET ${path}`);
    expect([status, body]).toEqual([
      200,
      {
        connectionId: id,
        from: user,
        connectedAt: expect.any(Number),
        lastActiveAt: expect.any(Number),
        sourceIp: "127.0.0.1",
      },
    ]);
    expect((await call(`DELETE ${path}`)).status).toBe(204);
    await expectKicked(client);
    const gone = [
      await call(`GET ${path}`),
      await call(`DELETE ${path}`),
      await call(`POST ${path}/messages`, { payload: 1 }),
    ];
    for (const answer of gone) expect(answer).toMatchObject({ status: 404, body: { code: "not_found" } });
  });

  it("closes all connections of a user, and nobody else's", async () => {
    host = await startTopicHost(backend);
    const [one, two, other] = [await join(ALICE), await join(ALICE), await join(BOB)];
    expect((await call(`DELETE /users/${one.user}/connections`)).status).toBe(204);
    await Promise.all([expectKicked(one.client), expectKicked(two.client)]);
    expect((await other.client.request({ action: "ping" })).type).toBe("pong");
    expect((await call(`DELETE /users/${one.user}/connections`)).status).toBe(204);
  });
});

/** A gateway at which the first posts to a connection are throttled. */
function throttling(gateway: ConnectionGateway, isThrottled: (id: string) => boolean): ConnectionGateway {
  return {
    ...gateway,
    async post(targets, frame, options) {
      const throttled = targets.filter(({ id }) => isThrottled(id));
      const failures = await gateway.post(
        targets.filter((target) => !throttled.includes(target)),
        frame,
        options,
      );
      return { ...failures, throttled: [...failures.throttled, ...throttled] };
    },
  };
}

describe("a connection that is throttled", () => {
  let left = 0;
  let slow = "";
  const isThrottled = (id: string) => id === slow && left-- > 0;
  const ports: HostOptions["ports"] = (all) => ({ ...all, gateway: throttling(all.gateway, isThrottled) });

  it("gets what was sent to its user all the same, once", async () => {
    host = await startTopicHost({ ports });
    const all = [await join(ALICE), await join(ALICE), await join(ALICE)];
    [slow, left] = [all[1]!.id, 2];
    expect((await call(`POST /users/${all[0]!.user}/messages`, { payload: 1 })).body).toEqual({ connections: 3 });
    for (const { client } of all) await client.frame(isDirect);
    for (const { client } of all) expect(client.frames.filter(isDirect)).toHaveLength(1);
  });

  it("is told that it is kicked all the same", async () => {
    host = await startTopicHost({ ports });
    const all = [await join(ALICE), await join(ALICE)];
    [slow, left] = [all[0]!.id, 2];
    expect((await call(`DELETE /users/${all[0]!.user}/connections`)).status).toBe(204);
    for (const { client } of all) await expectKicked(client);
  });

  it("can't be kicked by itself for the moment", async () => {
    host = await startTopicHost({ ports });
    const { client, id } = await join();
    [slow, left] = [id, 1];
    const { status, headers, body } = await call(`DELETE /connections/${id}`);
    expect([status, headers.get("retry-after"), body]).toMatchObject([503, "1", { code: "unavailable" }]);
    expect((await call(`DELETE /connections/${id}`)).status).toBe(204);
    await expectKicked(client);
  });
});
