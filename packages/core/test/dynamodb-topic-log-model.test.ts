import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Topic } from "@topicast/protocol";
import { aTopic, type HeldWrite, TEST_START, type TestClock, testClock } from "@topicast/testing";
import fc from "fast-check";
import { createDynamoDbTopicLog } from "../src/drivers/dynamodb.ts";
import { DEFAULT_APP, type LoggedMessage, type TopicLog } from "../src/index.ts";
import { holdWrites } from "./dynamodb-held-writes.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

/** Processes whose clocks differ, by as much as the log allows. */
const CLOCK_OFFSETS_MS = [0, 1_000, -1_000];

/** Something that happens. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("publish" as const), by: fc.nat(2), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("publishHeld" as const), by: fc.nat(2), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("release" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("releaseWhileReading" as const), which: fc.nat(), by: fc.nat(2) }),
  fc.record({ kind: fc.constant("fail" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 400, 999, 2_000, 4_500, 11_000) }),
  fc.record({ kind: fc.constant("read" as const), by: fc.nat(2) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Party {
  readonly log: TopicLog;
  readonly clock: TestClock;
  holdNextWrite(): HeldWrite;
}

interface Held extends HeldWrite {
  readonly done: Promise<void>;
}

let server: DynamoDbServer;
let parties: readonly Party[];
let runs = 0;

beforeAll(async () => {
  server = await startDynamoDb();
  parties = CLOCK_OFFSETS_MS.map((offsetMs): Party => {
    const { tableName } = server;
    const client = server.connect();
    const clock = testClock(TEST_START + offsetMs);
    return { log: createDynamoDbTopicLog({ client, tableName, clock }), clock, holdNextWrite: holdWrites(client) };
  });
});

afterAll(() => server.close());

function party(index: number): Party {
  return parties[index] as Party;
}

/** One topic, what was acknowledged in it, and what readers saw. */
function createRun(topic: Topic) {
  const acknowledged: LoggedMessage[] = [];
  const readings: { readonly seq: number; readonly messages: readonly LoggedMessage[] }[] = [];
  const held: Held[] = [];
  let published = 0;

  async function publish(by: Party, count: number): Promise<void> {
    const payloads = Array.from({ length: count }, () => ++published);
    try {
      const { messages } = await by.log.append(DEFAULT_APP, topic, { payloads, time: by.clock.now() });
      acknowledged.push(...messages);
    } catch {
      // Not acknowledged: it may be there or not.
    }
  }

  /** In pages of two, so that they begin and end inside batches. */
  async function read({ log }: Party): Promise<void> {
    const { epoch } = await log.place(DEFAULT_APP, topic);
    const messages: LoggedMessage[] = [];
    for (let more = true; more; ) {
      const page = await log.readSince(DEFAULT_APP, topic, { epoch, seq: messages.at(-1)?.seq ?? 0 }, 2);
      if (!page.recovered) throw new Error("The history is not there.");
      messages.push(...page.messages);
      more = page.more;
      if (!more) readings.push({ seq: page.place.seq, messages });
    }
  }

  async function take(one: Step): Promise<void> {
    switch (one.kind) {
      case "publish":
        return publish(party(one.by), one.count);
      case "publishHeld": {
        const write = party(one.by).holdNextWrite();
        held.push({ ...write, done: publish(party(one.by), one.count) });
        return write.held;
      }
      case "wait":
        for (const { clock } of parties) await clock.advance(one.ms);
        return;
      case "read":
        return read(party(one.by));
      default: {
        const [write] = held.splice(one.which % Math.max(1, held.length), 1);
        if (one.kind === "fail") write?.fail();
        else write?.release();
        await Promise.all([write?.done, one.kind === "releaseWhileReading" && read(party(one.by))]);
      }
    }
  }

  return {
    take,
    acknowledged,
    readings,
    async end() {
      for (const write of held) write.release();
      await Promise.all(held.map(({ done }) => done));
      for (const { clock } of parties) await clock.advance(11_000);
      await read(party(0));
    },
  };
}

it("a DynamoDB log keeps what it acknowledged, once, and never behind a place that was settled", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const run = createRun(aTopic(`run/${++runs}`));
      // Written at once, so that a reading from the beginning is always possible.
      await run.take({ kind: "publish", by: 0, count: 1 });
      for (const one of steps) await run.take(one);
      await run.end();

      const { acknowledged, readings } = run;
      const last = readings.at(-1)?.messages ?? [];
      const seqs = last.map(({ seq }) => seq);
      expect(new Set(last.map(({ payload }) => payload)).size).toBe(last.length);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      const inOrder = acknowledged.toSorted((a, b) => a.seq - b.seq);
      expect(last.filter(({ seq }) => inOrder.some((message) => message.seq === seq))).toEqual(inOrder);
      for (const { seq, messages } of readings) {
        expect(last).toEqual(expect.arrayContaining([...messages]));
        for (const message of inOrder.filter((each) => each.seq <= seq)) expect(messages).toContainEqual(message);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
