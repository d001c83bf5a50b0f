import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  type AppId,
  type Applications,
  type AppStore,
  type ConnectionStore,
  connect,
  createApplication,
  createApplications,
  createKeyCheck,
  createSealer,
  EVERYTHING,
  publish,
  readHistory,
  type Service,
  subscribe,
  type TopicLog,
} from "@topicast/core";
import { createMemoryAppStore, createMemoryConnectionStore, createMemoryTopicLog } from "@topicast/core/memory";
import { aTarget, aTopic, type TestClock, testClock } from "@topicast/testing";
import {
  createDynamoDbAppStore,
  createDynamoDbConnectionStore,
  createDynamoDbTopicLog,
} from "../src/drivers/dynamodb.ts";
import { startDynamoDb } from "./dynamodb-server.ts";
import { testService } from "./test-service.ts";

/** Seconds, where the machine is busy. */
jest.setTimeout(20_000);

interface Stores {
  readonly apps: AppStore;
  readonly connections: ConnectionStore;
  readonly log: TopicLog;
  close(): Promise<void>;
}

async function inMemory(clock: TestClock): Promise<Stores> {
  return {
    apps: createMemoryAppStore({ clock }),
    connections: createMemoryConnectionStore({ clock }),
    log: createMemoryTopicLog({ clock }),
    close: async () => {},
  };
}

async function inDynamoDb(clock: TestClock): Promise<Stores> {
  // One table for all: what keeps them apart is their keys.
  const { client, tableName, close } = await startDynamoDb();
  const options = { client, tableName, clock };
  return {
    apps: createDynamoDbAppStore(options),
    connections: createDynamoDbConnectionStore(options),
    log: createDynamoDbTopicLog(options),
    close,
  };
}

const LIFE_MS = 60_000;
const sealer = createSealer("an encryption key, long enough for anyone");
const room = aTopic("room/1");

describe.each([
  ["in memory", inMemory],
  ["in DynamoDB", inDynamoDb],
])("an application that expires, %s,", (_, createStores) => {
  let clock: TestClock;
  let stores: Stores;
  let service: Service & { readonly applications: Applications };
  beforeEach(async () => {
    clock = testClock();
    stores = await createStores(clock);
    const { apps, connections, log } = stores;
    const applications = createApplications({ apps, clock, rules: [] });
    service = { ...testService(), clock, connections, log, applications };
  });
  afterEach(() => stores.close());

  /** Whose key is for as long as the application. */
  async function create(expiresAt?: number) {
    const input = { name: "jam", topicRules: "[]", ...(expiresAt !== undefined && { expiresAt }) };
    const created = await createApplication({ apps: stores.apps, clock, sealer: async () => sealer }, input);
    if (!created.ok) throw new Error(created.fault.message);
    return { app: created.value.application.id, key: created.value.keyText };
  }

  async function isOpenedBy(key: string): Promise<AppId | undefined> {
    const caller = await createKeyCheck({ applications: service.applications, clock })(`Bearer ${key}`);
    return caller.ok ? caller.value.app : undefined;
  }

  async function join(app: AppId) {
    const target = aTarget({ connectedAt: clock.now() });
    const caller = { app, access: EVERYTHING };
    const connected = await connect(service, { caller, target });
    const subscribed = await subscribe(service, { caller, topic: room, target });
    expect([connected.ok, subscribed.ok]).toEqual([true, true]);
    return target.id;
  }

  async function idsIn(app: AppId) {
    const page = { app, topic: room, limit: 10, freshness: "fresh" } as const;
    return (await service.connections.subscribers(page)).subscribers.map(({ id }) => id);
  }

  it("leaves its name free, and nothing of its own to the next of that name", async () => {
    const old = await create(clock.now() + LIFE_MS);
    const client = await join(old.app);
    const published = await publish(service, { app: old.app, topic: room, payloads: ["old"], echo: true });
    expect(published).toMatchObject({ ok: true, value: { seq: 1 } });
    await clock.advance(LIFE_MS - 1);
    expect(await isOpenedBy(old.key)).toBe(old.app);
    await clock.advance(1);
    expect(await isOpenedBy(old.key)).toBeUndefined();

    const next = await create();
    await clock.advance(1_000);
    expect(await isOpenedBy(next.key)).toBe(next.app);
    expect(await isOpenedBy(old.key)).toBeUndefined();
    expect(next.app).not.toBe(old.app);
    expect(await idsIn(next.app)).toEqual([]);
    expect(await service.connections.get(next.app, client, "fresh")).toBeUndefined();
    const history = await readHistory(service, { app: next.app, topic: room, query: { last: 100 } });
    expect(history).toMatchObject({ messages: [], place: { seq: 0 } });

    const newcomer = await join(next.app);
    const again = await publish(service, { app: next.app, topic: room, payloads: ["new"], echo: true });
    expect(again).toMatchObject({ ok: true, value: { seq: 1 } });
    expect(await idsIn(next.app)).toEqual([newcomer]);
    const now = await readHistory(service, { app: next.app, topic: room, query: { last: 100 } });
    expect(now).toMatchObject({ messages: [{ seq: 1, payload: "new" }] });
  });

  it("is gone for its own, too", async () => {
    const { app } = await create(clock.now() + LIFE_MS);
    await join(app);
    await clock.advance(LIFE_MS);
    expect(await service.applications.find(app)).toBeUndefined();
    const late = await connect(service, { caller: { app, access: EVERYTHING }, target: aTarget() });
    expect(late).toMatchObject({ ok: false, fault: { code: "unauthorized" } });
  });
});
