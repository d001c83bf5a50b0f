import { describe, expect, it } from "@jest/globals";
import { type Connection, DEFAULT_APP, deliver, UnavailableError } from "@topicast/core";
import { aConnection, aJob, aTopic } from "@topicast/testing";
import { PLENTY, type TestService, takeJobs, testService, work } from "./test-service.ts";

const topic = aTopic("room/1");
const MINUTE_MS = 60_000;

/** Connections that are old enough for a 410 to count, unless said otherwise. */
async function join(service: TestService, count: number, ageMs = MINUTE_MS): Promise<Connection[]> {
  const connectedAt = service.clock.now() - ageMs;
  const connections = Array.from({ length: count }, () => aConnection({ room: topic, connectedAt }));
  for (const connection of connections) {
    await service.connections.connect(connection);
    service.gateway.open(connection);
  }
  return connections;
}

const postsTo = ({ gateway }: TestService, { id }: Connection) => gateway.posts.filter((post) => post.id === id).length;

async function subscriberIds({ connections }: TestService) {
  const query = { app: DEFAULT_APP, topic, limit: 1_000, freshness: "fresh" } as const;
  return (await connections.subscribers(query)).subscribers.map(({ id }) => id);
}

describe("deliver", () => {
  it("pages through its shard and posts to everyone once", async () => {
    const service = testService({ pageSize: 50 });
    const connections = await join(service, 120);
    await deliver(service, aJob({ topic }), PLENTY);
    expect(service.gateway.posts).toHaveLength(120);
    for (const connection of connections) expect(postsTo(service, connection)).toBe(1);
  });

  it("passes on what it can't finish in time, as a job with a cursor", async () => {
    const service = testService({ pageSize: 50 });
    const connections = await join(service, 120);
    await deliver(service, aJob({ topic }), () => 9_999);
    expect(service.gateway.posts).toHaveLength(50);
    const [next] = takeJobs(service);
    expect(next).toMatchObject({ cursor: expect.any(String), attempt: 1 });
    await deliver(service, next!, PLENTY);
    for (const connection of connections) expect(postsTo(service, connection)).toBe(1);
  });

  it("forgets who is gone, and never posts to them again", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    service.gateway.vanish(bob!.id);
    await deliver(service, aJob({ topic }), PLENTY);
    expect(await subscriberIds(service)).toEqual([alice!.id]);
    await deliver(service, aJob({ topic }), PLENTY);
    expect(postsTo(service, bob!)).toBe(1);
    expect(service.gateway.frames(alice!.id)).toHaveLength(2);
    expect(takeJobs(service)).toEqual([]);
  });

  it("delivers although the store can't forget who is gone", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    service.gateway.vanish(bob!.id);
    const disconnect = () => Promise.reject(new UnavailableError("store", "throttled"));
    await deliver({ ...service, connections: { ...service.connections, disconnect } }, aJob({ topic }), PLENTY);
    expect(service.gateway.frames(alice!.id)).toHaveLength(1);
    expect(service.logged).toEqual(["warn: A connection that is gone could not be forgotten."]);
  });

  it("takes a 410 of a young connection for not yet: its message arrives when the handshake is done", async () => {
    const service = testService();
    const [young] = await join(service, 1, 0);
    service.gateway.refuse(young!.id, "gone");
    await service.queue.send([aJob({ topic })]);
    await work(service, 5);
    expect(service.gateway.frames(young!.id)).toEqual([]);
    expect(await subscriberIds(service)).toEqual([young!.id]);
    service.gateway.refuse(young!.id, undefined);
    await work(service, 10);
    expect(service.gateway.frames(young!.id)).toHaveLength(1);
  });

  it("forgets a young connection that is still gone when it is young no more", async () => {
    const service = testService();
    const [young] = await join(service, 1, 0);
    service.gateway.vanish(young!.id);
    await service.queue.send([aJob({ topic })]);
    await work(service, 9);
    expect(await subscriberIds(service)).toEqual([young!.id]);
    await work(service, 30);
    expect(await subscriberIds(service)).toEqual([]);
    expect(takeJobs(service)).toEqual([]);
    expect(service.queue.deadLetters).toEqual([]);
  });

  it("tries a throttled post again and keeps its client, without posting to the others again", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    service.gateway.refuse(bob!.id, "throttled");
    await service.queue.send([aJob({ topic })]);
    await work(service, 3);
    service.gateway.refuse(bob!.id, undefined);
    await work(service, 10);
    expect(service.gateway.frames(bob!.id)).toHaveLength(1);
    expect(postsTo(service, alice!)).toBe(1);
    expect(await subscriberIds(service)).toContain(bob!.id);
  });

  it.each(["throttled", "failed"] as const)(
    "gives up a post that is always %s as a dead letter, and keeps the client",
    async (refusal) => {
      const service = testService({ maxAttempts: 3 });
      const [alice, bob] = await join(service, 2);
      service.gateway.refuse(bob!.id, refusal);
      await service.queue.send([aJob({ topic })]);
      await work(service, 60);
      expect(service.queue.deadLetters).toHaveLength(1);
      const letter = JSON.parse(service.queue.deadLetters[0]!.body);
      expect(letter).toMatchObject({ topic, only: [{ id: bob!.id }], messages: [{ seq: 1 }] });
      expect(await subscriberIds(service)).toEqual([alice!.id, bob!.id]);
      expect(postsTo(service, alice!)).toBe(1);
      expect(postsTo(service, bob!)).toBe(3);
    },
  );

  it("lets nobody wait for who can't be reached", async () => {
    const service = testService({ pageSize: 1 });
    const [alice, bob] = await join(service, 2);
    service.gateway.refuse(alice!.id, "throttled");
    // The clock stands still: a worker that slept would never end.
    await deliver(service, aJob({ topic }), PLENTY);
    expect(service.gateway.frames(bob!.id)).toHaveLength(1);
    expect(takeJobs(service)).toEqual([]);
    await service.clock.advance(1_000);
    expect(takeJobs(service)).toMatchObject([{ attempt: 2, only: [{ id: alice!.id }] }]);
  });

  it("posts for no longer than leaves it time to hand on", async () => {
    const service = testService();
    await join(service, 1);
    const bounds: (number | undefined)[] = [];
    const gateway: typeof service.gateway = {
      ...service.gateway,
      post: (targets, frame, options) => {
        bounds.push(options?.forMs);
        return service.gateway.post(targets, frame);
      },
    };
    await deliver({ ...service, gateway }, aJob({ topic }), () => 10_000);
    await deliver({ ...service, gateway }, aJob({ topic }), () => 1_000);
    expect(bounds).toEqual([7_000, 0]);
  });

  it("does not try an ephemeral message again", async () => {
    const service = testService();
    const [alice] = await join(service, 1);
    service.gateway.refuse(alice!.id, "throttled");
    const { epoch: _, ...ephemeral } = aJob({ topic });
    await deliver(service, ephemeral, PLENTY);
    expect(postsTo(service, alice!)).toBe(1);
    expect(takeJobs(service)).toEqual([]);
    expect(service.queue.deadLetters).toEqual([]);
  });

  it("posts the frames of a batch that needs several in order, and no later one to who missed one", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    const envelope = { joins: true, frames: () => ["one", "two"] };
    service.gateway.refuse(bob!.id, "throttled");
    await deliver({ ...service, envelope }, aJob({ topic }), PLENTY);
    expect(service.gateway.frames(alice!.id)).toEqual(["one", "two"]);
    expect(service.gateway.posts.filter(({ id }) => id === bob!.id).every(({ frame }) => frame === "one")).toBe(true);
  });

  it("goes on later from the page that the store could not give, and posts to nobody twice", async () => {
    const service = testService({ pageSize: 50 });
    const connections = await join(service, 120);
    let reads = 0;
    const throttled: typeof service.connections = {
      ...service.connections,
      subscribers: (query) =>
        ++reads === 3
          ? Promise.reject(new UnavailableError("store", "throttled"))
          : service.connections.subscribers(query),
    };
    await deliver({ ...service, connections: throttled }, aJob({ topic }), PLENTY);
    expect(service.gateway.posts).toHaveLength(100);
    await work(service, 3);
    expect(service.gateway.posts).toHaveLength(120);
    for (const connection of connections) expect(postsTo(service, connection)).toBe(1);
  });

  it("hands on who was missed before it forgets who is gone, and forgets no longer than it has time", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    service.gateway.refuse(alice!.id, "throttled");
    service.gateway.vanish(bob!.id);
    const steps: string[] = [];
    const queue: typeof service.queue = { ...service.queue, send: async () => void steps.push("handed on") };
    const connections: typeof service.connections = {
      ...service.connections,
      disconnect: async () => {
        steps.push("forgot");
        return true;
      },
    };
    await deliver({ ...service, queue, connections }, aJob({ topic }), PLENTY);
    await deliver({ ...service, queue, connections }, aJob({ topic }), () => 3_000);
    expect(steps).toEqual(["handed on", "forgot", "handed on"]);
  });

  it("fails where the next job can't be kept, so that this one comes again", async () => {
    const service = testService({ pageSize: 1 });
    await join(service, 2);
    const send = () => Promise.reject(new UnavailableError("queue", "refused"));
    const job = deliver({ ...service, queue: { ...service.queue, send } }, aJob({ topic }), () => 0);
    await expect(job).rejects.toBeInstanceOf(UnavailableError);
  });
});
