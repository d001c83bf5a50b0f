import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  aConnection,
  aConnectionId,
  aTopic,
  type CapacityMeter,
  type CapacityUnits,
  fewAtATime,
  meterCapacity,
  type TestClock,
  testClock,
} from "@topicast/testing";
import { createDynamoDbConnectionStore } from "../src/drivers/dynamodb.ts";
import { type Connection, type ConnectionStore, DEFAULT_APP, type Subscriber } from "../src/index.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

/** As long as a name may be: keys hold its hash. */
const topic = aTopic("room".repeat(50));
const address = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/production";

/** Some make hundreds of calls: seconds, where the machine is busy. */
jest.setTimeout(20_000);

let server: DynamoDbServer;
let meter: CapacityMeter;
let clock: TestClock;
let store: ConnectionStore;

beforeEach(async () => {
  server = await startDynamoDb();
  const { client, tableName } = server;
  meter = meterCapacity(client);
  clock = testClock();
  store = createDynamoDbConnectionStore({ client, tableName, clock, address });
});

afterEach(() => server.close());

/** What something consumes, which must not be more than this. */
async function expectWithin(budget: CapacityUnits, run: () => Promise<unknown>): Promise<CapacityUnits> {
  const units = await meter.measure(run);
  expect({ read: Math.max(units.read, budget.read), write: Math.max(units.write, budget.write) }).toEqual(budget);
  return units;
}

/** Nobody but itself. */
function aGuest(): Connection {
  const id = aConnectionId();
  return aConnection({ id, address, from: id });
}

function aUser(from = "u".repeat(16)): Connection {
  return aConnection({ address, from });
}

function subscribe(connection: Connection, to = topic, maxSubscriptions = 100) {
  const { validUntil } = connection;
  return store.subscribe({ app: DEFAULT_APP, topic: to, connection, validUntil, maxSubscriptions });
}

describe("connections stay within the budget", () => {
  it("connects with one write, and one more for a room", async () => {
    await expectWithin({ read: 0, write: 1 }, () => store.connect(aGuest()));
    await expectWithin({ read: 0, write: 2 }, () => store.connect({ ...aGuest(), room: topic }));
  });

  it("connects with one more write where it has a user, however long the name", async () => {
    await expectWithin({ read: 0, write: 2 }, () => store.connect(aUser("u".repeat(128))));
    await expectWithin({ read: 0, write: 3 }, () => store.connect({ ...aUser(), room: topic }));
  });

  it("disconnects with one more write where it has a user", async () => {
    const user = aUser();
    await store.connect({ ...user, room: topic });
    await expectWithin({ read: 1, write: 3 }, () => store.disconnect(DEFAULT_APP, user.id));
  });

  it("finds 40 connections of a user with one read unit, and reads each with one", async () => {
    const users = Array.from({ length: 40 }, () => aUser("alice"));
    await fewAtATime(users, (user) => store.connect(user));
    await expectWithin({ read: 1, write: 0 }, async () => {
      expect((await store.connectionsOf(DEFAULT_APP, "alice", { limit: 40 })).connections).toHaveLength(40);
    });
    const ids = users.map(({ id }) => id);
    await expectWithin({ read: 40, write: 0 }, () => store.getMany(DEFAULT_APP, ids));
  });

  it("counts a connection with one write where there is a limit, and gives its place back with one", async () => {
    for (let i = 0; i < 20; i++) await store.connect(aGuest(), 100);
    const guest = aGuest();
    await expectWithin({ read: 0, write: 2 }, () => store.connect(guest, 100));
    await expectWithin({ read: 1, write: 2 }, () => store.disconnect(DEFAULT_APP, guest.id));
    const refuse = async () => expect(await store.connect(guest, 20)).toBe("too_many_connections");
    await expectWithin({ read: 2, write: 1 }, refuse);
  });

  it("counts with one write more once in some hours, to take away those that never left", async () => {
    let writes = 0;
    for (let i = 0; i < 60; i++) {
      await clock.advance(10 * 60_000);
      const { write } = await meter.measure(() => store.connect({ ...aGuest(), connectedAt: clock.now() }, 1_000));
      expect(write).toBeLessThanOrEqual(3);
      writes += write;
    }
    expect(writes).toBeLessThanOrEqual(60 * 2 + 10);
  });

  it("looks a connection up with half a read unit", async () => {
    const guest = aGuest();
    await store.connect(guest);
    await expectWithin({ read: 0.5, write: 0 }, () => store.get(DEFAULT_APP, guest.id, "stale"));
  });

  it("subscribes with two writes, the first time and again", async () => {
    const guest = aGuest();
    await store.connect(guest);
    for (let i = 0; i < 2; i++) {
      await expectWithin({ read: 0, write: 2 }, () => subscribe(guest));
      await clock.advance(1);
    }
  });

  it("subscribes again in the same millisecond with one more write", async () => {
    const guest = aGuest();
    await store.connect(guest);
    await subscribe(guest);
    await expectWithin({ read: 0, write: 3 }, () => subscribe(guest));
  });

  it("ends a subscription with one write, whether or not it is still there", async () => {
    const guest = aGuest();
    await store.connect({ ...guest, room: topic });
    const query = { app: DEFAULT_APP, topic, limit: 1, freshness: "fresh" } as const;
    const [subscriber] = (await store.subscribers(query)).subscribers as [Subscriber];
    const end = () => store.endSubscription(DEFAULT_APP, topic, subscriber);
    for (let i = 0; i < 2; i++) await expectWithin({ read: 0, write: 1 }, end);
  });

  it("subscribes with two writes up to 33 topics, and with a third up to 72", async () => {
    const guest = aGuest();
    await store.connect(guest);
    await clock.advance(5_432_000);
    for (let i = 1; i <= 72; i++) {
      await expectWithin({ read: 0, write: i <= 33 ? 2 : 3 }, () => subscribe(guest, aTopic(`room/${i}`)));
    }
  });

  it("refuses a topic with a read of each that the connection has, and then for some seconds with one read", async () => {
    const guest = aGuest();
    await store.connect(guest);
    for (let i = 0; i < 10; i++) await subscribe(guest, aTopic(`room/${i}`));
    const refuse = async () => {
      expect(await subscribe(guest, topic, 10)).toEqual({ status: "too_many_subscriptions" });
    };
    await expectWithin({ read: 1, write: 1 }, refuse);
    await clock.advance(15_000);
    await expectWithin({ read: 11, write: 2 }, refuse);
    await expectWithin({ read: 1, write: 1 }, refuse);
  });

  it("unsubscribes with one read and two writes", async () => {
    const guest = aGuest();
    await store.connect({ ...guest, room: topic });
    await expectWithin({ read: 1, write: 2 }, () => store.unsubscribe(DEFAULT_APP, topic, guest.id));
  });

  it.each([0, 1, 10, 33])("disconnects with one read and a write for each of %i topics and itself", async (topics) => {
    const guest = aGuest();
    await store.connect(guest);
    for (let i = 0; i < topics; i++) await subscribe(guest, aTopic(`room/${i}`));
    await expectWithin({ read: 1, write: topics + 1 }, () => store.disconnect(DEFAULT_APP, guest.id));
  });

  it.each([
    [40, 40],
    [40, 200],
    [51, 51],
  ])("reads %i of %i subscribers with one read unit", async (limit, count) => {
    await fewAtATime(Array.from({ length: count }, aGuest), (guest) => store.connect({ ...guest, room: topic }));
    const query = { app: DEFAULT_APP, topic, limit, freshness: "fresh" } as const;
    await expectWithin({ read: 1, write: 0 }, async () => {
      expect((await store.subscribers(query)).subscribers).toHaveLength(limit);
    });
  });
});
