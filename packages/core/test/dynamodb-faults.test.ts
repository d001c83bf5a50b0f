import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { aConnection, aTopic, type TestClock, testClock } from "@topicast/testing";
import {
  createDynamoDbClient,
  createDynamoDbConnectionStore,
  createDynamoDbTopicLog,
} from "../src/drivers/dynamodb.ts";
import { type ConnectionStore, DEFAULT_APP, systemClock, type TopicLog } from "../src/index.ts";
import {
  breakDown,
  during,
  hang,
  leaveUnprocessed,
  loseAnswer,
  stopInTheMiddle,
  throttle,
  times,
} from "./dynamodb-faults.ts";
import { type DynamoDbServer, type Fault, startDynamoDb } from "./dynamodb-server.ts";

const topic = aTopic();
const other = aTopic("other");
/** The SDK's waits between attempts add up to some seconds. */
jest.setTimeout(20_000);

const UNAVAILABLE = { name: "UnavailableError", part: "store" };

let server: DynamoDbServer;
let store: ConnectionStore;
/** The same, with a client that soon gives up. */
let hasty: ConnectionStore;
let log: TopicLog;
/** The log's; the store waits on the time of day. */
let clock: TestClock;

beforeEach(async () => {
  server = await startDynamoDb();
  const { tableName } = server;
  const client = server.connect();
  store = createDynamoDbConnectionStore({ client, tableName, clock: systemClock });
  const hastyClient = server.connect({ attemptTimeoutMs: 100 });
  hasty = createDynamoDbConnectionStore({ client: hastyClient, tableName, clock: systemClock });
  clock = testClock();
  log = createDynamoDbTopicLog({ client, tableName, clock });
});

afterEach(() => server.close());

function aGuest() {
  return aConnection({ connectedAt: Date.now() });
}

function subscribe(connection: ReturnType<typeof aGuest>, to = topic, by = store) {
  const { validUntil } = connection;
  return by.subscribe({ app: DEFAULT_APP, topic: to, connection, validUntil, maxSubscriptions: 2 });
}

async function idsIn(room = topic, by = store) {
  const page = await by.subscribers({ app: DEFAULT_APP, topic: room, limit: 100, freshness: "fresh" });
  return page.subscribers.map(({ id }) => id);
}

describe("DynamoDB that fails is unavailable", () => {
  type Use = (by: ConnectionStore, guest: ReturnType<typeof aGuest>) => Promise<unknown>;
  const uses: Record<string, Use> = {
    PutItem: (by, guest) => by.connect(guest),
    GetItem: (by, { id }) => by.get(DEFAULT_APP, id, "fresh"),
    UpdateItem: (by, guest) => subscribe(guest, topic, by),
    BatchWriteItem: (by, { id }) => by.disconnect(DEFAULT_APP, id),
    DeleteItem: (by, { id }) => by.disconnect(DEFAULT_APP, id),
    Query: (by) => idsIn(topic, by),
  };
  const cases = Object.keys(uses).flatMap((operation) => [
    ["throttles", operation, throttle] as const,
    ["breaks down at", operation, breakDown] as const,
    ["hangs at", operation, hang] as const,
    ["loses the answers of", operation, loseAnswer] as const,
  ]);

  it.each(cases)("where it %s %s, and what failed may be repeated", async (_, operation, fault) => {
    const use = uses[operation] as Use;
    const guest = aGuest();
    await store.connect({ ...guest, room: other });
    const failed = during(server, operation, fault, () => use(fault === hang ? hasty : store, guest));
    await expect(failed).rejects.toMatchObject({ ...UNAVAILABLE, cause: expect.any(Error) });
    await use(store, guest);
  });

  it("where its answer stops in the middle", async () => {
    const failed = during(server, "GetItem", stopInTheMiddle, () => log.place(DEFAULT_APP, topic));
    await expect(failed).rejects.toMatchObject(UNAVAILABLE);
  });

  it("where nobody listens", async () => {
    const { tableName } = server;
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const client = createDynamoDbClient({ endpoint: "http://127.0.0.1:1", region: "us-east-1", credentials });
    const nowhere = createDynamoDbTopicLog({ client, tableName, clock: systemClock });
    await expect(nowhere.place(DEFAULT_APP, topic)).rejects.toMatchObject(UNAVAILABLE);
    client.destroy();
  });

  it("but not where the fault is ours", async () => {
    const { client } = server;
    const wrong = createDynamoDbTopicLog({ client, tableName: "missing", clock: systemClock });
    await expect(wrong.place(DEFAULT_APP, topic)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const endless = { app: DEFAULT_APP, topic, limit: -1, freshness: "fresh" } as const;
    await expect(store.subscribers(endless)).rejects.toMatchObject({ name: "ValidationException" });
  });

  it.each([
    ["throttled", throttle],
    ["broken", breakDown],
    ["silent", hang],
    ["lost", loseAnswer],
  ])("and one %s answer is no reason to fail", async (_, fault) => {
    const guest = aGuest();
    const by = fault === hang ? hasty : store;
    await during(server, "PutItem", times(1, fault), () => by.connect({ ...guest, room: topic }));
    await during(server, "UpdateItem", times(1, fault), () => subscribe(guest, other, by));
    expect([await idsIn(topic), await idsIn(other)]).toEqual([[guest.id], [guest.id]]);
    await during(server, "DeleteItem", times(1, fault), () => by.disconnect(DEFAULT_APP, guest.id));
    expect([await idsIn(topic), await idsIn(other)]).toEqual([[], []]);
  });
});

/** Of the rows that a connect puts, for the connection, its user and its room, only the first are written. */
async function connectHalfWay(guest: ReturnType<typeof aGuest>, puts: number): Promise<void> {
  let seen = 0;
  const fault: Fault = (request, response, handle) => (++seen <= puts ? handle() : throttle(request, response, handle));
  await expect(during(server, "PutItem", fault, () => store.connect(guest))).rejects.toMatchObject(UNAVAILABLE);
}

async function idsOf(user: string) {
  return (await store.connectionsOf(DEFAULT_APP, user, { limit: 100 })).connections.map(({ id }) => id);
}

describe("a call that failed half-way is repeated", () => {
  it("connects, and joins the room", async () => {
    const guest = { ...aGuest(), room: topic };
    await connectHalfWay(guest, 1);
    expect([await idsOf(guest.from), await idsIn()]).toEqual([[], []]);
    await connectHalfWay(guest, 0);
    expect([await idsOf(guest.from), await idsIn()]).toEqual([[], []]);
    await store.connect(guest);
    expect([await idsOf(guest.from), await idsIn()]).toEqual([[guest.id], [guest.id]]);
  });

  it.each([1, 2, 3])("disconnects after a connect that wrote %i of 3 rows, and leaves nothing", async (puts) => {
    const guest = { ...aGuest(), room: topic };
    if (puts === 3) await store.connect(guest);
    else await connectHalfWay(guest, puts);
    await store.disconnect(DEFAULT_APP, guest.id);
    expect([await idsOf(guest.from), await idsIn()]).toEqual([[], []]);
  });

  it("subscribes, and counts the topic once", async () => {
    const guest = aGuest();
    await store.connect(guest);
    const failed = during(server, "PutItem", breakDown, () => subscribe(guest));
    await expect(failed).rejects.toMatchObject(UNAVAILABLE);
    expect(await subscribe(guest)).toMatchObject({ status: "subscribed" });
    expect(await subscribe(guest, other)).toMatchObject({ status: "subscribed" });
    expect(await idsIn()).toEqual([guest.id]);
  });

  it("disconnects after a subscribe that failed, and leaves nothing", async () => {
    const guest = aGuest();
    await store.connect(guest);
    await expect(during(server, "PutItem", loseAnswer, () => subscribe(guest))).rejects.toMatchObject(UNAVAILABLE);
    await store.disconnect(DEFAULT_APP, guest.id);
    expect(await idsIn()).toEqual([]);
  });

  it.each([
    ["BatchWriteItem", breakDown],
    ["BatchWriteItem", loseAnswer],
    ["UpdateItem", breakDown],
  ])("unsubscribes where %s failed", async (operation, fault) => {
    const guest = { ...aGuest(), room: topic };
    await store.connect(guest);
    const unsubscribe = () => store.unsubscribe(DEFAULT_APP, topic, guest.id);
    await expect(during(server, operation, fault, unsubscribe)).rejects.toMatchObject(UNAVAILABLE);
    expect(await unsubscribe()).toBe(true);
    expect(await idsIn()).toEqual([]);
    expect(await unsubscribe()).toBe(false);
  });

  it.each(["BatchWriteItem", "DeleteItem"])("disconnects where %s failed", async (operation) => {
    const guest = { ...aGuest(), room: topic };
    await store.connect(guest);
    await subscribe(guest, other);
    const disconnect = () => store.disconnect(DEFAULT_APP, guest.id);
    await expect(during(server, operation, breakDown, disconnect)).rejects.toMatchObject(UNAVAILABLE);
    await disconnect();
    expect([await idsIn(topic), await idsIn(other), await idsOf(guest.from)]).toEqual([[], [], []]);
    expect(await store.get(DEFAULT_APP, guest.id, "fresh")).toBeUndefined();
  });

  it.each([
    ["UpdateItem", breakDown],
    ["PutItem", breakDown],
    ["PutItem", loseAnswer],
  ])("counts a connection once where %s failed", async (operation, fault) => {
    const guest = aGuest();
    await expect(during(server, operation, fault, () => store.connect(guest, 2))).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.connect(guest, 2)).toBe("connected");
    expect(await store.connect(aGuest(), 2)).toBe("connected");
    expect(await store.connect(aGuest(), 2)).toBe("too_many_connections");
    await store.disconnect(DEFAULT_APP, guest.id);
    expect(await store.connect(aGuest(), 2)).toBe("connected");
    expect(await store.connect(aGuest(), 2)).toBe("too_many_connections");
  });

  it("gives back the place of one that is never written", async () => {
    const failed = during(server, "PutItem", breakDown, () => store.connect(aGuest(), 1));
    await expect(failed).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.connect(aGuest(), 1)).toBe("connected");
  });

  it.each([breakDown, loseAnswer])("gives back no more places than there were: %p", async (fault) => {
    const guest = aGuest();
    await store.connect(aGuest(), 2);
    await store.connect(guest, 2);
    const disconnect = () => store.disconnect(DEFAULT_APP, guest.id);
    await expect(during(server, "DeleteItem", fault, disconnect)).rejects.toMatchObject(UNAVAILABLE);
    await disconnect();
    const outcomes = [await store.connect(aGuest(), 2), await store.connect(aGuest(), 2)];
    expect(outcomes).toContain("too_many_connections");
  });

  it("deletes what DynamoDB left undone, and gives up after some tries", async () => {
    const guest = { ...aGuest(), room: topic };
    await store.connect(guest);
    const disconnect = () => store.disconnect(DEFAULT_APP, guest.id);
    const failed = during(server, "BatchWriteItem", leaveUnprocessed, disconnect);
    await expect(failed).rejects.toMatchObject(UNAVAILABLE);
    expect(await idsIn()).toEqual([guest.id]);
    await during(server, "BatchWriteItem", times(2, leaveUnprocessed), disconnect);
    expect(await idsIn()).toEqual([]);
  });
});
