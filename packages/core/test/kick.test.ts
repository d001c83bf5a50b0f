import { describe, expect, it } from "@jest/globals";
import { DEFAULT_APP, type KickJob, kick, kickUser, UnavailableError } from "@topicast/core";
import { anApp } from "@topicast/testing";
import { doJob } from "../src/use-cases/do-job.ts";
import { connectAs, framesOf } from "./recipients.ts";
import { type TestService, takeJobs, testService, work } from "./test-service.ts";

const app = DEFAULT_APP;
const closing = { type: "closing", reason: "kicked", reconnect: false };

async function usersLeft({ connections }: TestService, user: string) {
  return (await connections.connectionsOf(app, user, { limit: 1_000 })).connections.map(({ id }) => id);
}

describe("kick", () => {
  it("tells, closes and forgets; a second time there is none", async () => {
    const service = testService();
    const [alice] = await connectAs(service, "alice", 1);
    expect(await kick(service, anApp("other"), alice!.id)).toBe(false);
    expect(await kick(service, app, alice!.id)).toBe(true);
    expect(framesOf(service, [alice!])).toEqual([[closing]]);
    expect(await service.gateway.look(alice!)).toBeUndefined();
    expect(await kick(service, app, alice!.id)).toBe(false);
  });

  it("is to be repeated while the handshake runs", async () => {
    const service = testService();
    const [alice] = await connectAs(service, "alice", 1, { connectedAt: service.clock.now() });
    service.gateway.refuse(alice!.id, "gone");
    await expect(kick(service, app, alice!.id)).rejects.toBeInstanceOf(UnavailableError);
    service.gateway.refuse(alice!.id, undefined);
    expect(await kick(service, app, alice!.id)).toBe(true);
  });
});

describe("kickUser", () => {
  it.each([0, 1, 250])("kicks all of %i connections, and nobody else", async (count) => {
    const service = testService();
    const connections = await connectAs(service, "alice", count);
    const others = [
      ...(await connectAs(service, "bob", 1)),
      ...(await connectAs(service, "alice", 1, { app: anApp("other") })),
    ];
    await kickUser(service, app, "alice");
    for (const frames of framesOf(service, connections)) expect(frames).toEqual([closing]);
    expect(await usersLeft(service, "alice")).toEqual([]);
    for (const other of others) expect(await service.gateway.look(other)).toBeDefined();
    expect(framesOf(service, others)).toEqual([[], []]);
  });

  it("has those that can't be told kicked by a job", async () => {
    const service = testService();
    const [throttled, young, free] = [
      ...(await connectAs(service, "alice", 1)),
      ...(await connectAs(service, "alice", 1, { connectedAt: service.clock.now() })),
      ...(await connectAs(service, "alice", 1)),
    ];
    service.gateway.refuse(throttled!.id, "throttled");
    service.gateway.refuse(young!.id, "gone");
    await kickUser(service, app, "alice");
    expect(framesOf(service, [throttled!, young!, free!])).toEqual([[], [], [closing]]);
    for (const { id } of [throttled!, young!]) service.gateway.refuse(id, undefined);
    await work(service, 3);
    expect(framesOf(service, [throttled!, young!])).toEqual([[closing], [closing]]);
    expect(await usersLeft(service, "alice")).toEqual([]);
  });

  it("leaves what takes too long to a job, and whoever comes back meanwhile alone", async () => {
    const service = testService();
    const connections = await connectAs(service, "alice", 150);
    const slow: typeof service.gateway = {
      ...service.gateway,
      async post(targets, frame, options) {
        await service.clock.advance(400);
        return service.gateway.post(targets, frame, options);
      },
    };
    await kickUser({ ...service, gateway: slow }, app, "alice");
    expect((await usersLeft(service, "alice")).length).toBeGreaterThan(100);
    await service.clock.advance(1);
    const [back] = await connectAs(service, "alice", 1, { connectedAt: service.clock.now() });
    await work(service, 2);
    expect(await usersLeft(service, "alice")).toEqual([back!.id]);
    for (const frames of framesOf(service, connections)) expect(frames).toEqual([closing]);
  });
});

it("a job of kind kick goes on from its cursor when it is out of time", async () => {
  const service = testService();
  await connectAs(service, "alice", 150);
  const job: KickJob = { kind: "kick", app, user: "alice", time: service.clock.now(), attempt: 1 };
  await doJob(service, job, () => 9_999);
  expect(await usersLeft(service, "alice")).toHaveLength(50);
  const [next] = takeJobs<KickJob>(service);
  expect(next).toMatchObject({ ...job, cursor: expect.any(String) });
  await doJob(service, next!, () => 9_999);
  expect(await usersLeft(service, "alice")).toEqual([]);
});
