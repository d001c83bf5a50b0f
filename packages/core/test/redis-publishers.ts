import { setTimeout as sleep } from "node:timers/promises";
import type { Topic } from "@topicast/protocol";
import { DEFAULT_APP, type TopicLog } from "../src/index.ts";

const RETENTION = { maxMessages: 100_000, maxAgeMs: 3_600_000 };

/** Clients wait longer; what matters is that they come again. */
const RETRY_MS = 20;

/** Publishers, one a topic, that send again, with the same key, what was not acknowledged. */
export interface Publishers {
  /** How many tries found Redis unavailable. */
  readonly failures: number;
  /** Resolves when each topic has so many more that were acknowledged. */
  untilEachHas(more: number): Promise<void>;
  untilOneFails(): Promise<void>;
  /** Resolves when nothing is under way; they go on with `resume`. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
  /** What was acknowledged and isn't in its topic's history exactly once, or has another's number: nothing, where all is well. */
  missing(): Promise<string[]>;
}

export function startPublishers(log: TopicLog, topics: readonly Topic[]): Publishers {
  const acknowledged = new Map<Topic, Map<string, number>>(topics.map((topic) => [topic, new Map()]));
  let failures = 0;
  let paused: { readonly over: Promise<void>; end(): void } | undefined;
  let isStopped = false;
  const tries = new Map<Topic, Promise<void>>();
  const publishing = topics.map(publishAll);

  async function publishAll(topic: Topic): Promise<void> {
    for (let n = 1; !isStopped; n += 1) {
      while (!isStopped && !(await publishOnce(topic, `${topic} ${n}`))) await sleep(RETRY_MS);
    }
  }

  async function publishOnce(topic: Topic, text: string): Promise<boolean> {
    await paused?.over;
    const key = { sender: "publisher", value: text };
    const attempt = log.append(DEFAULT_APP, topic, { payloads: [text], time: Date.now(), key }, RETENTION);
    // Of `pause`, which waits for whatever becomes of it.
    tries.set(topic, attempt.then(ignore, ignore));
    try {
      acknowledged.get(topic)?.set(text, (await attempt).place.seq);
      return true;
    } catch (error) {
      // Anything else is a mistake, and ends the test.
      if ((error as Error).name !== "UnavailableError") throw error;
      failures += 1;
      return false;
    }
  }

  async function until(isSo: () => boolean): Promise<void> {
    // A publisher that broke is the news.
    const broken = Promise.all(publishing);
    while (!isSo()) await Promise.race([broken, sleep(5)]);
  }

  async function lost(topic: Topic): Promise<string[]> {
    const found = await historyOf(log, topic);
    const isWell = ([text, seq]: [string, number]) => found.get(text)?.join() === String(seq);
    return [...(acknowledged.get(topic) ?? [])].filter((one) => !isWell(one)).map(([text]) => text);
  }

  return {
    get failures() {
      return failures;
    },
    untilEachHas(more) {
      const before = new Map(topics.map((topic) => [topic, acknowledged.get(topic)?.size ?? 0]));
      return until(() =>
        topics.every((topic) => (acknowledged.get(topic)?.size ?? 0) >= (before.get(topic) ?? 0) + more),
      );
    },
    untilOneFails() {
      const before = failures;
      return until(() => failures > before);
    },
    async pause() {
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      paused = { over, end };
      await Promise.all(tries.values());
    },
    resume() {
      paused?.end();
      paused = undefined;
    },
    async stop() {
      isStopped = true;
      await Promise.all(publishing);
    },
    async missing() {
      return (await Promise.all(topics.map(lost))).flat();
    },
  };
}

/** Each payload of a topic with its numbers, from the first. */
async function historyOf(log: TopicLog, topic: Topic): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  let { epoch } = await log.place(DEFAULT_APP, topic);
  for (let seq = 0; ; ) {
    const page = await log.readSince(DEFAULT_APP, topic, { epoch, seq }, { limit: 500, retention: RETENTION });
    if (!page.recovered) return found;
    for (const { payload, ...message } of page.messages) {
      found.set(String(payload), [...(found.get(String(payload)) ?? []), message.seq]);
    }
    epoch = page.place.epoch;
    seq = page.messages.at(-1)?.seq ?? page.place.seq;
    if (!page.more) return found;
  }
}

function ignore(): void {}
