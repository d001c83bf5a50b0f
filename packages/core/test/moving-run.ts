import type { Topic } from "@topicast/protocol";
import { createRandom, settle, type TestClock } from "@topicast/testing";
import { createMovingTopicLog } from "../src/drivers/moving/topic-log.ts";
import type { StoreIndex } from "../src/drivers/moving/topic-owner.ts";
import type { MovableTopicLog } from "../src/ports/topic-mover.ts";
import { type Appended, DEFAULT_APP, type Retention, type TopicLog, UnavailableError } from "../src/index.ts";

const RETENTION: Retention = { maxMessages: 100_000, maxAgeMs: 3_600_000 };
/** Between two phases, so that a topic may move once in each. */
const HOLD_MS = 60_000;
const PROCESSES = 3;
/** Times that a follower looks for what is new, beside what goes on in a phase. */
const LOOKS = 6;

/** Everything that waits for its turn: one at a time goes on, and chance says which. */
export function createTurns(random: () => number) {
  const waiting: (() => void)[] = [];
  let running = 0;

  return {
    take: () => new Promise<void>((resolve) => waiting.push(resolve)),

    /** Resolves when all of these are done. */
    async run(all: readonly (() => Promise<void>)[]): Promise<void> {
      const done = all.map((one) => {
        running += 1;
        return one().finally(() => {
          running -= 1;
        });
      });
      while (running > 0) {
        await settle();
        waiting.splice(Math.floor(random() * waiting.length), 1)[0]?.();
      }
      await Promise.all(done);
    },
  };
}

export type Turns = ReturnType<typeof createTurns>;

/** Stands still before and after each call, and dies there now and then, as a process does. */
function fragile(store: MovableTopicLog, turns: Turns, dies: () => boolean): MovableTopicLog {
  const around = (call: (...args: unknown[]) => Promise<unknown>) => {
    return async (...args: unknown[]) => {
      await turns.take();
      if (dies()) throw new UnavailableError("store", "It died before the call.");
      const answer = await call(...args);
      await turns.take();
      if (dies()) throw new UnavailableError("store", "It died behind the call.");
      return answer;
    };
  };
  const calls = Object.entries(store).map(([name, call]) => [name, around(call)]);
  return Object.fromEntries(calls) as MovableTopicLog;
}

/** Follows a topic from its beginning, as a subscriber does. */
interface Follower {
  readonly payloads: Map<number, string>;
  epoch: string;
  seq: number;
}

export interface MovingRunOptions {
  readonly topic: Topic;
  readonly seed: number;
  readonly clock: TestClock;
  readonly turns: Turns;
  readonly stores: readonly [MovableTopicLog, MovableTopicLog];
  /** From 0 to 1: how often a process dies at a step. */
  readonly deaths: number;
}

/** Processes in neighbouring steps of a move that publish and read in one topic, at once, and die; in phases, between which a topic may move again. */
export function createMovingRun({ topic, seed, clock, turns, stores, deaths }: MovingRunOptions) {
  const random = createRandom(seed);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  let isCalm = false;
  const dies = () => !isCalm && random() < deaths;
  const [one, two] = stores;
  const pair = [fragile(one, turns, dies), fragile(two, turns, dies)] as const;
  const logOf = (owner: StoreIndex) => createMovingTopicLog({ stores: pair, owner, clock, holdMs: HOLD_MS });
  const steps = Array.from({ length: PROCESSES }, () => [logOf(0), logOf(1)] as const);
  const answers = new Map<string, Appended>();
  const followers = Array.from({ length: 2 }, (): Follower => ({ payloads: new Map(), epoch: "", seq: 0 }));
  let publishes = 0;

  async function publish(log: TopicLog, key: string | undefined): Promise<void> {
    const name = String(++publishes);
    const payloads = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, part) => `${key ?? name}.${part}`);
    const named = key === undefined ? {} : { key: { sender: "alice", value: key } };
    // All publishes of one key are alike, so that it doesn't matter which of them came first.
    const batch = { payloads: key === undefined ? payloads : [`${key}.0`, `${key}.1`], time: clock.now(), ...named };
    try {
      const appended = await log.append(DEFAULT_APP, topic, batch, RETENTION);
      const before = answers.get(key ?? name);
      if (before && JSON.stringify(before.place) !== JSON.stringify(appended.place))
        throw new Error(`The key ${key} has two answers.`);
      answers.set(key ?? name, appended);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  async function follow(log: TopicLog, follower: Follower): Promise<void> {
    try {
      if (follower.epoch === "") follower.epoch = (await log.place(DEFAULT_APP, topic)).epoch;
      for (;;) {
        const since = { epoch: follower.epoch, seq: follower.seq };
        const page = await log.readSince(DEFAULT_APP, topic, since, { limit: 2, retention: RETENTION });
        if (!page.recovered) throw new Error(`Nothing is recovered after ${since.seq}, of ${page.place.seq}.`);
        for (const { seq, payload } of page.messages) follower.payloads.set(seq, String(payload));
        // What is settled and not on a page that says it is the last is void for good.
        follower.seq = page.more ? (page.messages.at(-1)?.seq as number) : page.place.seq;
        if (!page.more) return;
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  /** As a subscriber comes in. */
  async function look(log: TopicLog): Promise<void> {
    try {
      await log.readLatest(DEFAULT_APP, topic, { limit: 5, retention: RETENTION });
      await log.newest(DEFAULT_APP, [topic]);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  return {
    answers,
    followers,

    /** Some calls at once by processes of which each is in one of two steps. */
    async phase(calls: number): Promise<void> {
      const logs = steps.map(([first, second]) => (random() < 0.5 ? first : second));
      const work = Array.from({ length: calls }, () => {
        const log = pick(logs);
        if (random() < 0.2) return () => look(log);
        const key = random() < 0.5 ? `k${Math.floor(random() * calls)}` : undefined;
        return () => publish(log, key);
      });
      const stayWith = async (follower: Follower) => {
        for (let looks = 0; looks < LOOKS; looks++) await follow(pick(logs), follower);
      };
      await turns.run([...work, ...followers.map((follower) => () => stayWith(follower))]);
      isCalm = true;
      await turns.run(followers.map((follower) => () => follow(pick(logs), follower)));
      isCalm = false;
      await clock.advance(HOLD_MS);
    },
  };
}
