import { describe, expect, it } from "@jest/globals";
import { type ConnectionStore, DEFAULT_APP, publish, type TopicLog, UnavailableError, WHOLE } from "@topicast/core";
import { aConnection, aTopic } from "@topicast/testing";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { type TestService, takeJobs, testService, work } from "./test-service.ts";

const topic = aTopic("room/1");
const hello = { app: DEFAULT_APP, topic, payloads: ["hello"], echo: true, ephemeral: false };

async function join(service: TestService, count: number) {
  const connections = Array.from({ length: count }, () => aConnection({ room: topic }));
  for (const connection of connections) {
    await service.connections.connect(connection);
    service.gateway.open(connection);
  }
  return connections;
}

describe("publish", () => {
  it("numbers a batch and posts it to everyone in one frame", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    const place = await publish(service, { ...hello, payloads: ["a", "b"], from: "alice" });
    expect(place).toEqual({ ok: true, value: { epoch: expect.any(String), seq: 2 } });
    const epoch = place.ok ? place.value?.epoch : undefined;
    for (const connection of [alice, bob]) {
      const frames = service.gateway.frames(connection!.id).map((frame) => JSON.parse(frame));
      const time = service.clock.now();
      const messages = [
        { seq: 1, payload: "a", from: "alice", time },
        { seq: 2, payload: "b", from: "alice", time },
      ];
      expect(frames).toEqual([{ type: "messages", topic, epoch, messages }]);
    }
    expect(takeJobs(service)).toEqual([]);
  });

  it("numbers what is published to an empty topic, and posts nothing", async () => {
    const service = testService();
    await expect(publish(service, hello)).resolves.toMatchObject({ value: { seq: 1 } });
    await expect(publish(service, hello)).resolves.toMatchObject({ value: { seq: 2 } });
    expect(service.gateway.posts).toEqual([]);
    expect(takeJobs(service)).toEqual([]);
  });

  it("leaves a topic with more subscribers than it posts to itself to a job", async () => {
    const service = testService({ inlineMax: 2 });
    await join(service, 3);
    await publish(service, hello);
    expect(service.gateway.posts).toEqual([]);
    expect(takeJobs(service)).toMatchObject([{ shard: WHOLE, attempt: 1, messages: [{ seq: 1, payload: "hello" }] }]);
  });

  it("does not post to the sender without echo", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    await publish(service, { ...hello, sender: alice!.id, echo: false });
    expect(service.gateway.posts.map(({ id }) => id)).toEqual([bob!.id]);
  });

  it("hands on only those that a post didn't reach", async () => {
    const service = testService();
    const [alice, bob, carol] = await join(service, 3);
    service.gateway.refuse(alice!.id, "throttled");
    service.gateway.refuse(carol!.id, "failed");
    await publish(service, hello);
    expect(service.gateway.frames(bob!.id)).toHaveLength(1);
    const [job] = takeJobs(service);
    expect(job?.only?.map(({ id }) => id)).toEqual([alice!.id, carol!.id]);
  });

  it("sends ephemeral messages once, without a number, and never again", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    service.gateway.refuse(bob!.id, "throttled");
    await expect(publish(service, { ...hello, ephemeral: true })).resolves.toEqual({ ok: true, value: undefined });
    const time = service.clock.now();
    const frame = { type: "messages", topic, messages: [{ payload: "hello", time }] };
    expect(service.gateway.frames(alice!.id).map((text) => JSON.parse(text))).toEqual([frame]);
    expect(takeJobs(service)).toEqual([]);
    await expect(publish(service, hello)).resolves.toMatchObject({ value: { seq: 1 } });
  });

  it("reaches who subscribed a moment ago, though a read that isn't fresh would miss them", async () => {
    const service = testService();
    const [alice] = await join(service, 1);
    await publish(service, hello);
    expect(service.gateway.frames(alice!.id)).toHaveLength(1);
  });

  it("appends before it reads who subscribed", async () => {
    const service = testService();
    const steps: string[] = [];
    const log: TopicLog = {
      ...service.log,
      append: async (...call) => {
        const appended = await service.log.append(...call);
        steps.push("appended");
        return appended;
      },
    };
    const connections: ConnectionStore = {
      ...service.connections,
      subscribers: (query) => {
        steps.push(`read ${query.freshness}`);
        return service.connections.subscribers(query);
      },
    };
    await publish({ ...service, log, connections }, hello);
    expect(steps).toEqual(["appended", "read fresh"]);
  });

  it("reads no more subscribers than it would post to", async () => {
    const service = testService({ inlineMax: 5 });
    const limits: number[] = [];
    const connections: ConnectionStore = {
      ...service.connections,
      subscribers: (query) => {
        limits.push(query.limit);
        return service.connections.subscribers(query);
      },
    };
    await publish({ ...service, connections }, hello);
    expect(limits).toEqual([5]);
  });

  it("never leaves out a number that a slow publisher took", async () => {
    const service = testService();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let writes = 0;
    const beforeWrite = () => (writes++ === 0 ? released : Promise.resolve());
    const slow = { ...service, log: createMemoryTopicLog({ clock: service.clock, beforeWrite }) };
    const first = publish(slow, hello);
    await expect(publish(slow, hello)).resolves.toMatchObject({ value: { seq: 2 } });
    await expect(slow.log.place(DEFAULT_APP, topic)).resolves.toMatchObject({ seq: 0 });
    release();
    await expect(first).resolves.toMatchObject({ value: { seq: 1 } });
    await expect(slow.log.place(DEFAULT_APP, topic)).resolves.toMatchObject({ seq: 2 });
  });

  it.each([1, 0])(
    "is finished by its retry where it died before its fan-out, and not doubled: inlineMax %i",
    async (inlineMax) => {
      const service = testService({ inlineMax });
      const [alice] = await join(service, 1);
      const died = { ...service.connections, subscribers: fail("store") };
      const keyed = { ...hello, key: "k", from: "bob" };
      await expect(publish({ ...service, connections: died }, keyed)).rejects.toBeInstanceOf(UnavailableError);
      await expect(publish(service, { ...keyed, payloads: ["other"] })).resolves.toMatchObject({ value: { seq: 1 } });
      await work(service, 1);
      const frames = service.gateway.frames(alice!.id).map((frame) => JSON.parse(frame));
      expect(frames).toMatchObject([{ messages: [{ seq: 1, payload: "hello", key: "k" }] }]);
    },
  );

  it("keeps the keys of a backend, of those for whom it speaks, and of clients apart", async () => {
    const service = testService();
    const [alice] = await join(service, 1);
    const senders = [{}, { from: "bob" }, { from: "bob", sender: alice!.id }, { from: "eve", sender: alice!.id }];
    const publishAll = () => Promise.all(senders.map((sender) => publish(service, { ...hello, ...sender, key: "k" })));
    const first = await publishAll();
    expect(first.map((result) => result.ok && result.value?.seq)).toEqual([1, 2, 3, 4]);
    expect(await publishAll()).toEqual(first);
  });

  it.each(["a store that throttles", "a queue that refuses"])(
    "fails so that the publisher knows: %s",
    async (fault) => {
      const service = testService({ inlineMax: 0 });
      await join(service, 1);
      const failing = fault.startsWith("a store")
        ? { connections: { ...service.connections, subscribers: fail("store") } }
        : { queue: { ...service.queue, send: fail("queue") } };
      await expect(publish({ ...service, ...failing }, hello)).rejects.toBeInstanceOf(UnavailableError);
    },
  );
});

function fail(part: UnavailableError["part"]) {
  return () => Promise.reject(new UnavailableError(part, "throttled"));
}
