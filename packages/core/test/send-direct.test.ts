import { describe, expect, it } from "@jest/globals";
import {
  DEFAULT_APP,
  type DirectJob,
  type Recipients,
  sendToConnection,
  sendToUser,
  UnavailableError,
} from "@topicast/core";
import { aConnectionId, anApp } from "@topicast/testing";
import { doJob } from "../src/use-cases/do-job.ts";
import { connectAs, framesOf } from "./recipients.ts";
import { PLENTY, takeJobs, testService, work, workOn } from "./test-service.ts";

const app = DEFAULT_APP;
const message = { payload: { done: true }, from: "jobs", time: 1_700_000_000_000 };
const frame = { type: "direct", ...message };
const bounds = { inlineMax: 16 };

describe("sendToUser", () => {
  it.each([1, 16, 17, 250])("reaches all of %i connections, and says how many", async (count) => {
    const service = testService(bounds);
    const connections = await connectAs(service, "alice", count);
    const [bob] = await connectAs(service, "bob", 1);
    expect(await sendToUser(service, app, "alice", message)).toEqual({ connections: count });
    await work(service, 1);
    for (const frames of framesOf(service, connections)) expect(frames).toEqual([frame]);
    expect(service.gateway.frames(bob!.id)).toEqual([]);
  });

  it("reaches nobody where there is nobody, nor in another application", async () => {
    const service = testService(bounds);
    const foreign = await connectAs(service, "alice", 1, { app: anApp("other") });
    expect(await sendToUser(service, app, "alice", message)).toEqual({ connections: 0 });
    expect(framesOf(service, foreign)).toEqual([[]]);
    expect(takeJobs(service)).toEqual([]);
  });

  it("leaves those beyond a thousand to a job that finds them, and reaches each once", async () => {
    const service = testService(bounds);
    const connections = await connectAs(service, "alice", 1_150);
    expect(await sendToUser(service, app, "alice", message)).toEqual({ connections: 1_000, approximate: true });
    await work(service, 1);
    for (const frames of framesOf(service, connections)) expect(frames).toEqual([frame]);
  });

  it.each(["throttled", "failed"] as const)("has who is %s reached by a job", async (refusal) => {
    const service = testService(bounds);
    const [alice, bob] = await connectAs(service, "alice", 2);
    service.gateway.refuse(alice!.id, refusal);
    expect(await sendToUser(service, app, "alice", message)).toEqual({ connections: 2 });
    await work(service, 2);
    expect(framesOf(service, [alice!, bob!])).toEqual([[], [frame]]);
    service.gateway.refuse(alice!.id, undefined);
    await work(service, 4);
    expect(framesOf(service, [alice!, bob!])).toEqual([[frame], [frame]]);
  });

  it("reaches who is still in its handshake, and forgets who is gone", async () => {
    const service = testService(bounds);
    const [young] = await connectAs(service, "alice", 1, { connectedAt: service.clock.now() });
    const [gone] = await connectAs(service, "alice", 1);
    service.gateway.refuse(young!.id, "gone");
    service.gateway.vanish(gone!.id);
    expect(await sendToUser(service, app, "alice", message)).toEqual({ connections: 1 });
    expect(await service.connections.get(app, gone!.id, "fresh")).toBeUndefined();
    service.gateway.refuse(young!.id, undefined);
    await work(service, 2);
    expect(framesOf(service, [young!])).toEqual([[frame]]);
  });

  it("fails where what was missed can't be kept, so that a repeat makes it good", async () => {
    const service = testService(bounds);
    const [alice] = await connectAs(service, "alice", 1);
    service.gateway.refuse(alice!.id, "throttled");
    const queue = { ...service.queue, send: () => Promise.reject(new UnavailableError("queue", "refused")) };
    await expect(sendToUser({ ...service, queue }, app, "alice", message)).rejects.toBeInstanceOf(UnavailableError);
  });
});

describe("a job of kind direct", () => {
  const jobFor = (rest: Recipients & { readonly attempt?: number }): DirectJob => ({
    kind: "direct",
    app,
    message,
    attempt: 1,
    ...rest,
  });

  it("is a dead letter once it is out of attempts", async () => {
    const service = testService({ maxAttempts: 3 });
    const [alice, bob] = await connectAs(service, "alice", 2);
    service.gateway.refuse(alice!.id, "throttled");
    await service.queue.send([jobFor({ only: [alice!.id, bob!.id] })]);
    await work(service, 20);
    expect(service.queue.deadLetters.map(({ body }) => JSON.parse(body))).toEqual([jobFor({ only: [alice!.id] })]);
    expect(framesOf(service, [bob!])).toEqual([[frame]]);
    expect(service.gateway.posts.filter(({ id }) => id === alice!.id)).toHaveLength(3);
  });

  it("no longer reaches whose token has ended, nor who has left", async () => {
    const service = testService();
    const now = service.clock.now();
    const [alice] = await connectAs(service, "alice", 1, { validUntil: now + 500 });
    const [bob] = await connectAs(service, "alice", 1);
    for (const { id } of [alice!, bob!]) service.gateway.refuse(id, "throttled");
    await sendToUser(service, app, "alice", message);
    await service.clock.advance(1_000);
    await service.connections.disconnect(app, bob!.id);
    for (const { id } of [alice!, bob!]) service.gateway.refuse(id, undefined);
    await work(service, 3);
    expect(framesOf(service, [alice!, bob!])).toEqual([[], []]);
    expect(service.queue.deadLetters).toEqual([]);
  });

  it("goes on from its cursor when it is out of time, with all its attempts", async () => {
    const service = testService();
    const connections = await connectAs(service, "alice", 150);
    await doJob(service, jobFor({ user: "alice", attempt: 2 }), () => 9_999);
    const [next, ...more] = takeJobs<DirectJob>(service);
    expect([next, more]).toMatchObject([{ user: "alice", cursor: expect.any(String), attempt: 1 }, []]);
    await workOn(service, next!);
    for (const frames of framesOf(service, connections)) expect(frames).toEqual([frame]);
  });

  it.each<Recipients>([{ user: "alice" }, { only: [aConnectionId()] }])(
    "waits where the store is unavailable: %j",
    async (rest) => {
      const service = testService();
      const down = () => Promise.reject(new UnavailableError("store", "throttled"));
      const connections = { ...service.connections, connectionsOf: down, getMany: down };
      await doJob({ ...service, connections }, jobFor(rest), PLENTY);
      await service.clock.advance(1_000);
      expect(takeJobs(service)).toEqual([jobFor({ ...rest, attempt: 2 })]);
    },
  );
});

describe("sendToConnection", () => {
  it("sends to it, and says whether it is there", async () => {
    const service = testService();
    const [alice, gone] = await connectAs(service, "alice", 2);
    service.gateway.vanish(gone!.id);
    expect(await sendToConnection(service, app, alice!.id, message)).toBe(true);
    expect(await sendToConnection(service, app, gone!.id, message)).toBe(false);
    expect(await sendToConnection(service, anApp("other"), alice!.id, message)).toBe(false);
    expect(framesOf(service, [alice!])).toEqual([[frame]]);
  });
});
