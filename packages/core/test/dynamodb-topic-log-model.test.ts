import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { aTopic, TEST_START } from "@topicast/testing";
import fc from "fast-check";
import type { LoggedMessage } from "../src/index.ts";
import { type Acknowledged, createRun, type Reading } from "./dynamodb-log-run.ts";
import { aParty, type Party } from "./dynamodb-party.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

/** Processes whose clocks differ, by as much as the log allows. */
const CLOCK_OFFSETS_MS = [0, 1_000, -1_000];

const batch = {
  by: fc.nat(2),
  count: fc.integer({ min: 1, max: 3 }),
  key: fc.option(fc.constantFrom("k1", "k2"), { nil: undefined }),
};

/** Something that happens. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("publish" as const), ...batch }),
  fc.record({
    kind: fc.constant("publishHeld" as const),
    before: fc.constantFrom("key" as const, "write" as const),
    ...batch,
  }),
  fc.record({ kind: fc.constant("release" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("releaseWhileReading" as const), which: fc.nat(), by: fc.nat(2) }),
  fc.record({ kind: fc.constant("fail" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 400, 999, 2_000, 4_500, 11_000) }),
  fc.record({ kind: fc.constant("read" as const), by: fc.nat(2) }),
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), by: fc.nat(2) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

let server: DynamoDbServer;
let parties: readonly Party[];
let runs = 0;

beforeAll(async () => {
  server = await startDynamoDb();
  parties = CLOCK_OFFSETS_MS.map((offsetMs) => aParty(server, TEST_START + offsetMs));
});

afterAll(() => server.close());

function take(run: ReturnType<typeof createRun>, one: Step): Promise<void> {
  const party = (index: number) => parties[index] as Party;
  switch (one.kind) {
    case "publish":
      return run.publish({ ...one, by: party(one.by) });
    case "publishHeld":
      return run.publishHeld({ ...one, by: party(one.by) }, one.key === undefined ? "write" : one.before);
    case "wait":
      return run.wait(one.ms);
    case "read":
      return run.read(party(one.by));
    case "restart":
      return run.begin(party(one.by));
    case "release":
    case "fail":
      return run.settle(one.which, one.kind);
    case "releaseWhileReading":
      return run.settle(one.which, "release", party(one.by));
  }
}

/** In the epoch that is there at the end: everything that was acknowledged, in order, and never behind a settled place. */
function expectNothingLost(acknowledged: readonly Acknowledged[], readings: readonly Reading[]): void {
  const { epoch, messages: last } = readings.at(-1) as Reading;
  const seqs = last.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  const all = acknowledged.filter(({ place }) => place.epoch === epoch).flatMap(({ messages }) => messages);
  expect(last).toEqual(expect.arrayContaining(all));
  for (const { seq, messages } of readings.filter((reading) => reading.epoch === epoch)) {
    expect(last).toEqual(expect.arrayContaining([...messages]));
    expect(messages).toEqual(expect.arrayContaining(all.filter((message) => message.seq <= seq)));
  }
}

/** What was published once, or with one key, is there once, in one epoch, and has one answer. */
function expectNothingDoubled(acknowledged: readonly Acknowledged[], readings: readonly Reading[]): void {
  const places = new Map<string, Set<string>>();
  const answers = new Map<string, Set<string>>();
  const add = (to: Map<string, Set<string>>, of: string, one: string) => to.set(of, (to.get(of) ?? new Set()).add(one));
  const addMessage = (epoch: string, { seq, payload, key }: LoggedMessage) => {
    const [publishNumber, part] = String(payload).split(".");
    add(places, String(payload), `${epoch}:${seq}`);
    if (key !== undefined) add(places, `${key}.${part}`, `${publishNumber}`);
  };
  for (const { epoch, messages } of readings) for (const message of messages) addMessage(epoch, message);
  for (const { place, messages, key } of acknowledged) {
    for (const message of messages) addMessage(place.epoch, message);
    if (key !== undefined) add(answers, key, `${place.epoch}:${place.seq}`);
  }
  for (const [of, found] of [...places, ...answers]) expect([of, ...found]).toHaveLength(2);
}

it("a DynamoDB log keeps what it acknowledged, once, and never behind a place that was settled", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const run = createRun(aTopic(`run/${++runs}`), parties);
      await run.publish({ by: parties[0] as Party, count: 1, key: undefined });
      for (const one of steps) await take(run, one);
      await run.end();
      expectNothingLost(run.acknowledged, run.readings);
      expectNothingDoubled(run.acknowledged, run.readings);
    }),
    { numRuns: 60 },
  );
}, 120_000);
