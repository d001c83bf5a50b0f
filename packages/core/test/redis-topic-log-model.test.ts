import { expect, it } from "@jest/globals";
import type { Place, Topic } from "@topicast/protocol";
import { aTopic, startRedis, TEST_START, testClock } from "@topicast/testing";
import fc from "fast-check";
import { createRedisTopicLog } from "../src/drivers/redis.ts";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { type ConnectionId, DEFAULT_APP, type Retention, type TickPage, type TopicLog } from "../src/index.ts";
import { useRedis } from "./redis-clients.ts";

const TOPICS: readonly (readonly [Topic, Retention])[] = [
  [aTopic("few"), { maxMessages: 5, maxAgeMs: 10_000 }],
  [aTopic("many"), { maxMessages: 1_000, maxAgeMs: 120_000 }],
  [aTopic("none"), { maxMessages: 0, maxAgeMs: 0 }],
];

const on = fc.nat(TOPICS.length - 1);
const key = fc.option(fc.constantFrom("k1", "k2"), { nil: undefined });
const isTicked = fc.boolean();
const limit = fc.constantFrom(1, 3, 100);
const kinds = {
  append: fc.record({ kind: fc.constant("append" as const), on, count: fc.integer({ min: 1, max: 4 }), key, isTicked }),
  claim: fc.record({ kind: fc.constant("claim" as const), on, key: fc.constantFrom("k1", "k2") }),
  readSince: fc.record({ kind: fc.constant("readSince" as const), on, back: fc.nat(12), limit }),
  readLatest: fc.record({ kind: fc.constant("readLatest" as const), on, limit }),
  restart: fc.record({ kind: fc.constant("restart" as const), on }),
  wait: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 4_000, 10_000, 150_000) }),
  gather: fc.record({ kind: fc.constant("gather" as const), on, latest: fc.boolean() }),
  send: fc.record({ kind: fc.constant("send" as const), on }),
  read: fc.record({ kind: fc.constant("read" as const), on }),
  take: fc.record({ kind: fc.constant("take" as const), on }),
  end: fc.record({ kind: fc.constant("end" as const), on }),
};
const step = fc.oneof(
  { weight: 6, arbitrary: kinds.append },
  { weight: 2, arbitrary: kinds.readSince },
  ...Object.values(kinds).map((arbitrary) => ({ weight: 1, arbitrary })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One log, and what its caller remembers. */
function createSide(log: TopicLog, clock: ReturnType<typeof testClock>) {
  const places: Place[] = [];
  /** Of each topic what a tick read last. */
  const pages = new Map<Topic, TickPage>();
  let [payloads, wakeUps] = [0, 0];
  const aWakeUp = () => ({ id: `w${++wakeUps}`, dueAt: clock.now() + 50 });

  async function readTick(topic: Topic): Promise<TickPage | undefined> {
    const ticking = await log.ticking(DEFAULT_APP, topic);
    const page = ticking && (await log.readTick(DEFAULT_APP, topic, ticking.place));
    if (page !== undefined) pages.set(topic, page);
    return page;
  }

  return async (one: Step): Promise<unknown> => {
    if (one.kind === "wait") return clock.advance(one.ms);
    const [topic, retention] = TOPICS[one.on] as (typeof TOPICS)[number];
    const page = pages.get(topic);
    const except = "alice's" as ConnectionId;
    switch (one.kind) {
      case "append": {
        const batch = {
          payloads: Array.from({ length: one.count }, () => `${++payloads}`),
          time: clock.now(),
          ...(one.count > 1 && { from: "alice" }),
          ...(one.key !== undefined && { key: { sender: "alice", value: one.key } }),
          ...(one.isTicked && { tick: { wakeUp: aWakeUp(), ...(one.count > 1 && { except }) } }),
        };
        const appended = await log.append(DEFAULT_APP, topic, batch, retention);
        places.push(appended.place);
        return appended;
      }
      case "claim":
        return log.claim(DEFAULT_APP, topic, { sender: "alice", value: one.key });
      case "readSince": {
        const since = places.at(-1 - one.back) ?? { epoch: "none", seq: 0 };
        const before = { ...since, seq: Math.max(0, since.seq - (one.back % 3)) };
        return [
          await log.readSince(DEFAULT_APP, topic, before, { limit: one.limit, retention }),
          await log.place(DEFAULT_APP, topic),
        ];
      }
      case "readLatest":
        return [
          await log.readLatest(DEFAULT_APP, topic, { limit: one.limit, retention }),
          await log.newest(
            DEFAULT_APP,
            TOPICS.map(([each]) => each),
          ),
        ];
      case "restart":
        return log.restart(DEFAULT_APP, topic);
      case "gather": {
        const about = { ...(one.latest && { from: "alice", latest: "position", key: "k3" }) };
        const tick = { wakeUp: aWakeUp(), ...(one.latest && { except }) };
        return log.gather(DEFAULT_APP, topic, { payloads: [++payloads], time: clock.now(), ...about, tick });
      }
      case "send": {
        const ticking = await log.ticking(DEFAULT_APP, topic);
        if (ticking === undefined) return undefined;
        const sent = { ...ticking.wakeUp, isSent: true };
        return [
          await log.replaceWakeUp(DEFAULT_APP, topic, ticking.wakeUp, sent),
          await log.ticking(DEFAULT_APP, topic),
        ];
      }
      case "read":
        return readTick(topic);
      // By the page that was read last, which may be old.
      case "take":
        return page && log.claimTick(DEFAULT_APP, topic, page, { ...aWakeUp(), isSent: true });
      case "end":
        return page && log.endTicks(DEFAULT_APP, topic, page);
    }
  };
}

/** Epochs as they came, since each log has its own. */
function createNames() {
  const epochs: string[] = [];
  return (answer: unknown) =>
    JSON.parse(
      JSON.stringify(answer ?? null, (name, value) => {
        if (name !== "epoch") return value;
        if (!epochs.includes(value)) epochs.push(value);
        return epochs.indexOf(value);
      }),
    );
}

const open = useRedis(startRedis);

it("a Redis log answers whatever it is asked as one in memory does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const { redis, close } = open();
      const [clock, other] = [testClock(TEST_START), testClock(TEST_START)];
      const side = createSide(createRedisTopicLog({ redis, clock }), clock);
      const model = createSide(createMemoryTopicLog({ clock: other }), other);
      const [names, modelNames] = [createNames(), createNames()];
      try {
        for (const one of steps) expect(names(await side(one))).toEqual(modelNames(await model(one)));
      } finally {
        await close();
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
