import { describe, expect, it } from "@jest/globals";
import {
  CONNECTION_VALID_MS,
  type Connection,
  DEFAULT_APP,
  deleteTopic,
  deliver,
  openApplications,
  publish,
  type ReplayJob,
  UnavailableError,
} from "@topicast/core";
import { aConnection, aJob, anApp, aTopic } from "@topicast/testing";
import { replay } from "../src/use-cases/replay.ts";
import { PLENTY, type TestService, takeJobs, testService, work } from "./test-service.ts";

const topic = aTopic("room/1");
const MINUTE_MS = 60_000;
const LIFE_MS = 5 * MINUTE_MS;
const hello = { app: DEFAULT_APP, topic, payloads: ["hello"], echo: true };
const EXPIRED = { type: "closing", reason: "token_expired", reconnect: true };
const DELETED = { type: "closing", reason: "application_deleted", reconnect: false };

async function join(service: TestService, count: number, overrides: Partial<Connection> = {}): Promise<Connection[]> {
  const connectedAt = service.clock.now() - MINUTE_MS;
  const connections = Array.from({ length: count }, () => aConnection({ room: topic, connectedAt, ...overrides }));
  for (const connection of connections) {
    await service.connections.connect(connection);
    service.gateway.open(connection);
  }
  return connections;
}

/** Some whose tokens are over by now, and others whose aren't. */
async function joinBoth(service: TestService, expired: number, live: number) {
  const over = await join(service, expired, { validUntil: service.clock.now() + LIFE_MS });
  const others = await join(service, live);
  await service.clock.advance(LIFE_MS);
  return { over, others };
}

const framesOf = ({ gateway }: TestService, { id }: Connection) => gateway.frames(id).map((frame) => JSON.parse(frame));
const typesOf = (service: TestService, connection: Connection) => framesOf(service, connection).map(({ type }) => type);

async function pageOf({ connections }: TestService, app = DEFAULT_APP) {
  return connections.subscribers({ app, topic, limit: 1_000, freshness: "fresh" });
}

async function expectEnded(service: TestService, connection: Connection, frame: object): Promise<void> {
  expect(framesOf(service, connection)).toEqual([frame]);
  expect(await service.gateway.look(connection)).toBeUndefined();
  expect(await service.connections.disconnect(connection.app, connection.id)).toBe(false);
}

const WAYS: readonly [string, (service: TestService) => Promise<unknown>][] = [
  ["a publisher", (service) => publish(service, hello)],
  ["a worker", (service) => deliver(service, aJob({ topic }), PLENTY)],
  ["a publisher of something ephemeral", (service) => publish(service, { ...hello, ephemeral: true })],
];

describe.each(WAYS)("%s that meets connections whose tokens have expired", (_, send) => {
  it("gives them nothing at that very millisecond, and ends them", async () => {
    const service = testService();
    const { over, others } = await joinBoth(service, 3, 3);
    await send(service);
    for (const connection of over) await expectEnded(service, connection, EXPIRED);
    for (const connection of others) expect(typesOf(service, connection)).toEqual(["messages"]);
    expect(await pageOf(service)).toMatchObject({ subscribers: [{}, {}, {}], expired: [] });
  });

  it("posts to the others first", async () => {
    const service = testService();
    const { others } = await joinBoth(service, 2, 2);
    await send(service);
    expect(new Set(service.gateway.posts.slice(0, 2).map(({ id }) => id))).toEqual(new Set(others.map(({ id }) => id)));
  });

  it("gives them what comes a millisecond before", async () => {
    const service = testService();
    const [alice] = await join(service, 1, { validUntil: service.clock.now() + LIFE_MS });
    await service.clock.advance(LIFE_MS - 1);
    await send(service);
    expect(typesOf(service, alice as Connection)).toEqual(["messages"]);
  });

  it("forgets those that are gone already, without another word", async () => {
    const service = testService();
    const { over } = await joinBoth(service, 2, 0);
    for (const { id } of over) service.gateway.vanish(id);
    await send(service);
    expect(await pageOf(service)).toMatchObject({ subscribers: [], expired: [] });
    expect(service.logged).toEqual([]);
  });

  it("posts nothing to one that can't be alive, and forgets it", async () => {
    const service = testService();
    const [old] = await join(service, 1, { validUntil: service.clock.now() - MINUTE_MS + CONNECTION_VALID_MS });
    await service.clock.advance(CONNECTION_VALID_MS);
    await send(service);
    expect(service.gateway.posts).toEqual([]);
    expect(await service.connections.disconnect(DEFAULT_APP, (old as Connection).id)).toBe(false);
  });

  it.each(["throttled", "failed"] as const)("leaves one whose post is %s to the next", async (refusal) => {
    const service = testService();
    const { over, others } = await joinBoth(service, 2, 1);
    const [stuck, other] = over as [Connection, Connection];
    service.gateway.refuse(stuck.id, refusal);
    await send(service);
    expect(service.logged).toEqual(["warn: A subscriber's connection could not be ended."]);
    await expectEnded(service, other, EXPIRED);
    expect(await pageOf(service)).toMatchObject({ expired: [{ id: stuck.id }] });
    expect(takeJobs(service)).toEqual([]);
    service.gateway.refuse(stuck.id, undefined);
    await send(service);
    await expectEnded(service, stuck, EXPIRED);
    for (const connection of others) expect(typesOf(service, connection)).toEqual(["messages", "messages"]);
  });

  it("leaves one that the store can't forget to the next", async () => {
    const service = testService();
    const { over } = await joinBoth(service, 1, 0);
    const disconnect = () => Promise.reject(new UnavailableError("store", "throttled"));
    await send({ ...service, connections: { ...service.connections, disconnect } });
    expect(service.logged).toEqual(["warn: A subscriber's connection could not be ended."]);
    await send(service);
    expect(await pageOf(service)).toMatchObject({ subscribers: [], expired: [] });
    await expectEnded(service, over[0] as Connection, EXPIRED);
  });

  it("removes a subscription that its connection left behind", async () => {
    const service = testService();
    await joinBoth(service, 1, 0);
    const connections = { ...service.connections, disconnect: async () => false };
    await send({ ...service, connections });
    expect(await pageOf(service)).toMatchObject({ subscribers: [], expired: [] });
  });
});

describe("a small topic stays small", () => {
  it("where others than those that count are no longer valid", async () => {
    const service = testService({ inlineMax: 4 });
    const { over, others } = await joinBoth(service, 6, 4);
    await publish(service, hello);
    expect(takeJobs(service)).toEqual([]);
    for (const connection of over) await expectEnded(service, connection, EXPIRED);
    for (const connection of others) expect(typesOf(service, connection)).toEqual(["messages"]);
  });

  it("but not where too many are valid among them, and then nobody gets it twice", async () => {
    const service = testService({ inlineMax: 4 });
    const { over, others } = await joinBoth(service, 3, 5);
    await publish(service, hello);
    expect(service.gateway.posts).toEqual([]);
    await work(service, 1);
    for (const connection of over) await expectEnded(service, connection, EXPIRED);
    for (const connection of others) expect(typesOf(service, connection)).toEqual(["messages"]);
  });

  it("and no publisher reads through thousands that are over", async () => {
    const service = testService({ inlineMax: 4 });
    await joinBoth(service, 50, 1);
    let reads = 0;
    const subscribers: typeof service.connections.subscribers = (query) => {
      reads += 1;
      return service.connections.subscribers(query);
    };
    await publish({ ...service, connections: { ...service.connections, subscribers } }, hello);
    expect(reads).toBe(3);
    await work(service, 1);
    expect(await pageOf(service)).toMatchObject({ subscribers: [{}], expired: [] });
  });
});

describe("a worker", () => {
  it("gives nothing to one that expired while it waited for another try, and ends it", async () => {
    const service = testService();
    const [alice] = (await join(service, 1, { validUntil: service.clock.now() + 5_000 })) as [Connection];
    service.gateway.refuse(alice.id, "throttled");
    await service.queue.send([aJob({ topic })]);
    await work(service, 5);
    service.gateway.refuse(alice.id, undefined);
    await work(service, 30);
    await expectEnded(service, alice, EXPIRED);
    expect(service.queue.deadLetters).toEqual([]);
  });

  it("ends no more of a page than a hundred, and the others with the next", async () => {
    const service = testService();
    await joinBoth(service, 150, 1);
    await deliver(service, aJob({ topic }), PLENTY);
    expect((await pageOf(service)).expired).toHaveLength(50);
    await deliver(service, aJob({ topic }), PLENTY);
    expect((await pageOf(service)).expired).toEqual([]);
  });

  it("begins to end none without time", async () => {
    const service = testService();
    await joinBoth(service, 1, 0);
    await deliver(service, aJob({ topic }), () => 3_000);
    expect((await pageOf(service)).expired).toHaveLength(1);
  });

  it("ends those that a deletion finds expired", async () => {
    const service = testService();
    const { over } = await joinBoth(service, 1, 0);
    await deleteTopic(service, DEFAULT_APP, topic);
    await expectEnded(service, over[0] as Connection, EXPIRED);
  });
});

describe("what is left of an application that is gone", () => {
  const app = anApp("gone~1");

  it("is dropped with its connections, for good", async () => {
    const service = testService({ pageSize: 2 }, { applications: openApplications([]) });
    const connections = await join(service, 5, { app });
    await service.queue.send([aJob({ topic, app })]);
    await work(service, 1);
    for (const connection of connections) await expectEnded(service, connection, DELETED);
    expect(takeJobs(service)).toEqual([]);
  });

  it("is delivered as long as nobody can tell", async () => {
    const find = () => Promise.reject(new UnavailableError("store", "throttled"));
    const service = testService({}, { applications: { ...openApplications([]), find } });
    const [alice] = (await join(service, 1, { app })) as [Connection];
    await deliver(service, aJob({ topic, app }), PLENTY);
    expect(typesOf(service, alice)).toEqual(["messages"]);
  });
});

describe("a replay", () => {
  const aReplay = ({ id, address, connectedAt, app, validUntil }: Connection): ReplayJob => {
    const [since, until] = [1, 2].map((seq) => ({ epoch: "e", seq }));
    const target = { id, address, connectedAt };
    return { kind: "replay", app, topic, target, validUntil, since: since!, until: until!, attempt: 1 };
  };

  it("gives nothing to one whose token has expired, and ends it", async () => {
    const service = testService();
    const { over } = await joinBoth(service, 1, 0);
    const [alice] = over as [Connection];
    await replay(service, aReplay(alice), PLENTY);
    await expectEnded(service, alice, EXPIRED);
    expect(takeJobs(service)).toEqual([]);
  });

  it("gives nothing of an application that is gone", async () => {
    const service = testService();
    const [alice] = (await join(service, 1, { app: anApp("gone~1") })) as [Connection];
    await replay(service, aReplay(alice), PLENTY);
    await expectEnded(service, alice, DELETED);
  });
});
