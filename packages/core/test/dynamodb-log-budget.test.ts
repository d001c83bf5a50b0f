import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { aConnection, aTopic, type CapacityMeter, type CapacityUnits, meterCapacity } from "@topicast/testing";
import { createDynamoDbConnectionStore } from "../src/drivers/dynamodb.ts";
import { type Batch, DEFAULT_APP, VOID_AFTER_MS } from "../src/index.ts";
import { aParty, messagesSince, type Party, RETENTION } from "./dynamodb-party.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

/** As long as a name may be: keys hold its hash. */
const topic = aTopic("room".repeat(50));
/** As long as a key may be. */
const key = { sender: "0123456789abcdef", value: "key-".repeat(16) };
const ONE_KB_OF_ASCII = randomAscii(1_022);
const ONE_KB_OF_LETTERS = randomBytes(766).toString("base64url");

/** A thousand messages take some seconds, more on a busy machine. */
jest.setTimeout(60_000);

let server: DynamoDbServer;
let party: Party;
let meter: CapacityMeter;

beforeEach(async () => {
  server = await startDynamoDb();
  party = aParty(server);
  meter = meterCapacity(party.client);
});

afterEach(() => server.close());

/** What something consumes, which must not be more than this. */
async function expectWithin(budget: CapacityUnits, run: () => Promise<unknown>): Promise<void> {
  const units = await meter.measure(run);
  expect({ read: Math.max(units.read, budget.read), write: Math.max(units.write, budget.write) }).toEqual(budget);
}

function publish(payload: string, { to = topic, ...batch }: Partial<Batch> & { readonly to?: typeof topic } = {}) {
  const time = party.clock.now();
  return party.log.append(DEFAULT_APP, to, { payloads: [payload], from: key.sender, time, ...batch }, RETENTION);
}

async function publishMany(count: number, bytes = 100): Promise<string> {
  const payload = () =>
    randomBytes(bytes)
      .toString("base64url")
      .slice(0, bytes - 2);
  for (let i = 0; i < count; i += 20) {
    await Promise.all(Array.from({ length: Math.min(20, count - i) }, () => publish(payload())));
  }
  return (await party.log.place(DEFAULT_APP, topic)).epoch;
}

function place() {
  return party.log.place(DEFAULT_APP, topic);
}

describe("publishing stays within the budget", () => {
  it.each([
    ["nothing", ""],
    ["1 KB of one letter", "x".repeat(1_022)],
    ["1 KB of random letters and digits", ONE_KB_OF_LETTERS],
    ["1 KB of random ASCII", ONE_KB_OF_ASCII],
  ])("publishes %s with two writes, also the first of a topic", async (_, payload) => {
    for (let i = 0; i < 3; i++) await expectWithin({ read: 0, write: 2 }, () => publish(payload));
  });

  it.each([
    ["1 KB of random ASCII with a UUID as key", ONE_KB_OF_ASCII, randomUUID],
    // Where nothing of 1 KB and a key can be deflated, it is more than 1 KB: a fourth write.
    ["1 KB of random letters and digits with the longest key", ONE_KB_OF_LETTERS, () => ONE_KB_OF_LETTERS.slice(0, 64)],
  ])("publishes %s with three writes and half a read unit", async (_, payload, newValue) => {
    for (let i = 0; i < 3; i++) {
      const value = `${i}${newValue().slice(1)}`;
      await expectWithin({ read: 0.5, write: 3 }, () => publish(payload, { key: { ...key, value } }));
    }
  });

  it("answers a repeat with two and a half read units and no write", async () => {
    await publish(ONE_KB_OF_ASCII, { key });
    for (let i = 0; i < 3; i++) await expectWithin({ read: 2.5, write: 0 }, () => publish("repeat", { key }));
  });

  it("publishes again for one that died with four writes", async () => {
    const dead = aParty(server);
    const write = dead.holdNextWrite();
    const batch = { payloads: ["dead"], key, time: dead.clock.now() };
    // Never released: that is how it dies.
    dead.log.append(DEFAULT_APP, topic, batch, RETENTION).catch(() => undefined);
    await write.held;
    await expectWithin({ read: 1.5, write: 4 }, () => publish("repeat", { key }));
  });

  it("claims a key with one write, whether or not it is new", async () => {
    for (const isNew of [true, false]) {
      await expectWithin({ read: 0, write: 1 }, async () => {
        expect(await party.log.claim(DEFAULT_APP, topic, key)).toBe(isNew);
      });
    }
  });

  it("begins a new epoch with one write, whether or not there is the topic", async () => {
    const restart = () => party.log.restart(DEFAULT_APP, topic);
    await expectWithin({ read: 0, write: 1 }, restart);
    await publishMany(10);
    await expectWithin({ read: 0, write: 1 }, restart);
  });
});

describe("places stay within the budget", () => {
  it("makes a topic with one write when it is first read", async () => {
    await expectWithin({ read: 1, write: 1 }, place);
    await expectWithin({ read: 1, write: 0 }, place);
  });

  it("finds the place of a topic with one read unit once it is quiet for ten seconds, and two before", async () => {
    await publishMany(10);
    await expectWithin({ read: 2, write: 0 }, place);
    await party.clock.advance(10_001);
    await expectWithin({ read: 1, write: 0 }, place);
  });

  it.each([
    [300, 100],
    [40, 16_000],
  ])(
    "finds the place after %i messages of %i bytes with few units, because the reader before left a checkpoint",
    async (count, bytes) => {
      await publishMany(count, bytes);
      for (let i = 0; i < 10; i++) {
        await publish(`message ${i}`);
        await expectWithin({ read: 2, write: 0 }, place);
      }
    },
  );

  it("reads at most twice what isn't settled by its age", async () => {
    await publishMany(100, 16_000);
    await party.clock.advance(10_000);
    await publishMany(1, 16_000);
    const reader = aParty(server);
    await reader.clock.advance(10_000);
    for (let i = 0; i < 20; i++) await publish("young");
    // The topic; the first 16, and of the next 32 what is left: they end in the old and large ones.
    const units = await meterCapacity(reader.client).measure(() => reader.log.place(DEFAULT_APP, topic));
    expect(units.read).toBeLessThanOrEqual(2 + 28 * 4);
  });

  it("leaves a checkpoint the likelier the more it saves, where many readers come at once", async () => {
    await publishMany(40, 16_000);
    const { epoch } = await aParty(server).log.place(DEFAULT_APP, topic);
    for (let i = 0; i < 40; i++) await publish(randomBytes(12_000).toString("base64url"));
    const readers = Array.from({ length: 16 }, (_, i) => aParty(server, undefined, () => i / 16));
    const meters = readers.map(({ client }) => meterCapacity(client));
    for (const [i, { log }] of readers.entries()) {
      const units = await meters[i]?.measure(async () => {
        expect(await log.place(DEFAULT_APP, topic)).toEqual({ epoch, seq: 80 });
      });
      // All after the first find its checkpoint.
      expect(units?.write).toBe(i === 0 ? 1 : 0);
    }
    const unitsOf = (reader: number) =>
      meters[reader]?.measure(async () => readers[reader]?.log.place(DEFAULT_APP, topic));
    // Little more than a write costs: one of seven.
    for (let i = 0; i < 2; i++) await publish(randomBytes(12_000).toString("base64url"));
    for (let i = 3; i < 16; i++) expect(await unitsOf(i)).toEqual({ read: expect.any(Number), write: 0 });
    // Far more: every second.
    for (let i = 0; i < 40; i++) await publish(randomBytes(12_000).toString("base64url"));
    expect(await unitsOf(8)).toMatchObject({ write: 0 });
    expect(await unitsOf(7)).toMatchObject({ write: 1 });
    expect((await unitsOf(8))?.read).toBeLessThan(5);
  });

  it("leaves no checkpoint where it would be the same", async () => {
    await party.log.place(DEFAULT_APP, topic);
    const late = aParty(server);
    const write = late.holdNextWrite();
    const batch = { payloads: ["late"], time: late.clock.now() };
    // Never released.
    late.log.append(DEFAULT_APP, topic, batch, RETENTION).catch(() => undefined);
    await write.held;
    for (let i = 0; i < 4; i++) await publish(randomBytes(12_000).toString("base64url"));
    await expectWithin({ read: 20, write: 0 }, place);
    await party.clock.advance(VOID_AFTER_MS);
    await expectWithin({ read: 20, write: 2 }, place);
    await expectWithin({ read: 1, write: 0 }, place);
  });

  it("knows the newest places of 50 topics with 50 read units", async () => {
    const topics = Array.from({ length: 50 }, (_, i) => aTopic(`room/${i}`));
    await Promise.all(topics.slice(0, 40).map((to) => publish("a", { to })));
    await expectWithin({ read: 50, write: 0 }, async () => {
      const places = await party.log.newest(DEFAULT_APP, topics);
      expect(places.map((each) => each?.seq)).toEqual(topics.map((_, i) => (i < 40 ? 1 : undefined)));
    });
  });
});

describe("recovery stays within the budget", () => {
  it.each([
    // One for the topic, one for what isn't settled, one for the messages.
    [10, 3],
    [100, 8],
    // In ten pages.
    [1_000, 80],
  ])("replays %i messages of 100 bytes with %i read units", async (count, read) => {
    const epoch = await publishMany(count);
    await party.clock.advance(5_000);
    await expectWithin({ read, write: 0 }, async () => {
      expect(await messagesSince(party, { epoch, seq: 0 }, 100, topic)).toHaveLength(count);
    });
  });

  it("reads the newest ten with three read units", async () => {
    await publishMany(100);
    await expectWithin({ read: 3, write: 0 }, async () => {
      const page = await party.log.readLatest(DEFAULT_APP, topic, { limit: 10, retention: RETENTION });
      expect(page.messages).toHaveLength(10);
    });
  });

  it("reads few more large messages than a page holds", async () => {
    const epoch = await publishMany(100, 16_000);
    const options = { limit: 100, retention: RETENTION };
    // A page holds 8 of 4 units; the first read is of 16 rows.
    const read = 2 + 16 * 4;
    await expectWithin({ read, write: 0 }, () => party.log.readSince(DEFAULT_APP, topic, { epoch, seq: 0 }, options));
    await expectWithin({ read, write: 0 }, () => party.log.readLatest(DEFAULT_APP, topic, options));
  });

  it("subscribes with a place with two writes", async () => {
    const store = createDynamoDbConnectionStore({ ...server, client: party.client, clock: party.clock });
    const connection = aConnection();
    const { validUntil } = connection;
    await store.connect(connection);
    const epoch = await publishMany(10);
    await expectWithin({ read: 3, write: 2 }, async () => {
      await store.subscribe({ app: DEFAULT_APP, topic, connection, validUntil, maxSubscriptions: 100 });
      expect(await messagesSince(party, { epoch, seq: 0 }, 100, topic)).toHaveLength(10);
    });
  });
});

function randomAscii(length: number): string {
  // Without quotes and backslashes, which JSON escapes.
  const letters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !/["\\]/.test(c));
  return Array.from(randomBytes(length), (byte) => letters[byte % letters.length]).join("");
}
