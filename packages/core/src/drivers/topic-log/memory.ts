import type { Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { AppId } from "../../model.ts";
import type { Ticking } from "../../ports/ticks.ts";
import { type Appended, type Batch, type IdempotencyKey, MAX_TAKES, type Retention } from "../../ports/topic-log.ts";
import type { MovableTopicLog } from "../../ports/topic-mover.ts";
import { messagesOf } from "./content.ts";
import { createHistories } from "./memory-history.ts";
import { createKeys, type KeyRow, keyIdOf } from "./memory-keys.ts";
import { createMemoryMover } from "./memory-mover.ts";
import { close, closedUpTo, createTopicRows, type Taken } from "./memory-rows.ts";
import { claimTicks, handedOutUpTo } from "./memory-tick-state.ts";
import { createMemoryTicks } from "./memory-ticks.ts";

export interface MemoryTopicLogOptions {
  readonly clock: Pick<Clock, "now">;
  /** How long a topic may lie still before it, and its epoch, are forgotten. Longer than any connection lives. */
  readonly maxIdleMs?: number;
  /** Topics that are remembered. Beyond, first those to which nothing was published are forgotten, then those still for longest. */
  readonly maxTopics?: number;
  /**
   * Bytes of all messages: the JSON of their payloads, and what each takes besides. Beyond, first the messages of the oldest keys go, then the
   * histories that got none for longest.
   */
  readonly maxTotalBytes?: number;
  /** Idempotency keys that are remembered: by default a thousand a second. Beyond, who brings a new one is refused. */
  readonly maxKeys?: number;
  readonly newEpoch?: () => string;
  /** Awaited, where it gives a promise, between taking a number and remembering its key, where a publisher may be late or die. */
  readonly beforeKey?: () => Promise<void> | undefined;
  /** The same between remembering the key, where there is one, and writing. */
  readonly beforeWrite?: () => Promise<void> | undefined;
}

/**
 * Topics and their history in this process. An append goes through the same steps as in a store of many processes: it takes numbers, lets its
 * key stand for them, and writes them. Nothing comes between these, unless a hook asks for it.
 */
export function createMemoryTopicLog(options: MemoryTopicLogOptions): MovableTopicLog {
  const { clock, maxIdleMs = 86_400_000, maxTopics = 100_000, newEpoch = randomEpoch } = options;
  const { maxTotalBytes = 256 * 1024 * 1024, maxKeys = 300_000, beforeKey, beforeWrite } = options;
  const histories = createHistories(clock);
  const keys = createKeys({ clock, maxKeys });
  const rows = createTopicRows({
    clock,
    maxIdleMs,
    maxTopics,
    newEpoch,
    onEnd: ({ history }) => histories.forget(history),
  });

  function makeRoom(): void {
    keys.forgetExpired();
    while (histories.bytes + keys.bytes > maxTotalBytes) {
      if (!keys.forgetOldestMessages() && !histories.forgetOldest()) return;
    }
  }

  /** Undefined where the numbers were made void meanwhile. */
  async function write(taken: Taken, batch: Batch, retention: Retention, key?: KeyRow): Promise<Appended | undefined> {
    const held = beforeWrite?.();
    if (held !== undefined) await held;
    if (!close(taken)) return undefined;
    const messages = rows.isCurrent(taken.row) ? messagesOf(taken.first, { ...batch, key: batch.key?.value }) : [];
    if (key !== undefined) key.isWritten = true;
    if (messages.length > 0) {
      const upTo = Math.min(closedUpTo(taken.row), handedOutUpTo(taken.row));
      const bytes = histories.add(taken.row.history, messages, { retention, upTo, except: batch.tick?.except });
      if (key !== undefined) keys.keepMessages(key, messages, bytes);
      makeRoom();
    }
    return { place: { epoch: taken.row.epoch, seq: taken.last }, messages };
  }

  /** Counts a batch in, and takes its numbers. */
  function take(app: AppId, topic: Topic, { payloads, tick }: Batch): { taken: Taken; ticking: Ticking | undefined } {
    const row = rows.of(app, topic);
    const ticking = tick && claimTicks(row, tick);
    return { taken: rows.take(row, payloads.length), ticking };
  }

  function answerOf({ taken, messages }: KeyRow): Appended {
    const { row, first, last } = taken;
    const place = { epoch: row.epoch, seq: last };
    if (!rows.isCurrent(row)) return { place, messages: [] };
    return { place, messages: messages ?? histories.between(row.history, first, last) };
  }

  async function appendWithKey(app: AppId, topic: Topic, batch: Batch, key: IdempotencyKey, retention: Retention) {
    const id = keyIdOf(app, topic, key);
    for (let takes = 0; takes < MAX_TAKES; takes++) {
      const known = keys.find(id);
      if (known?.isWritten) return answerOf(known);
      if (known === undefined) keys.expectRoom();
      // Its publisher may be dead. Where it is only late, it can't write these any more.
      else close(known.taken);
      const { taken, ticking } = take(app, topic, batch);
      const held = beforeKey?.();
      if (held !== undefined) await held;
      const mine = keys.move(id, known, taken);
      const appended = mine && (await write(taken, batch, retention, mine));
      if (appended !== undefined) return counted(appended, ticking);
      // Another one with this key was quicker, or a reader made the numbers void: these are never written.
      close(taken);
    }
    throw new UnavailableError("store", `A key changed hands ${MAX_TAKES} times. Publish again with the same key.`);
  }

  /** Where its number is still empty it is void after, so that who is only late can't write there. */
  function findKeyed(app: AppId, topic: Topic, key: IdempotencyKey): Appended | undefined {
    const known = keys.find(keyIdOf(app, topic, key));
    if (known?.isWritten) return answerOf(known);
    if (known !== undefined) close(known.taken);
    return undefined;
  }

  async function appendWithoutKey(app: AppId, topic: Topic, batch: Batch, retention: Retention): Promise<Appended> {
    for (let takes = 0; takes < MAX_TAKES; takes++) {
      const { taken, ticking } = take(app, topic, batch);
      const appended = await write(taken, batch, retention);
      if (appended !== undefined) return counted(appended, ticking);
    }
    throw new UnavailableError("store", `A message was too late with its number ${MAX_TAKES} times. Publish it again.`);
  }

  return {
    async append(app, topic, batch, retention) {
      if (batch.key === undefined) return appendWithoutKey(app, topic, batch, retention);
      return appendWithKey(app, topic, batch, batch.key, retention);
    },

    async claim(app, topic, key) {
      return keys.claim(keyIdOf(app, topic, key));
    },

    async place(app, topic) {
      return rows.settle(rows.of(app, topic));
    },

    async newest(app, topics) {
      return topics.map((topic) => {
        const row = rows.find(app, topic);
        return row && !row.move.isSealed ? { epoch: row.epoch, seq: row.taken } : undefined;
      });
    },

    async readSince(app, topic, since, pageOptions) {
      const row = rows.of(app, topic);
      const place = rows.settle(row);
      if (since.epoch !== row.epoch || since.seq > row.taken) return { recovered: false, place };
      const page = histories.readSince(row.history, since.seq, { ...pageOptions, upTo: place.seq });
      return page === undefined ? { recovered: false, place } : { recovered: true, place, ...page };
    },

    async readLatest(app, topic, pageOptions) {
      const row = rows.of(app, topic);
      const place = rows.settle(row);
      return { place, ...histories.readLatest(row.history, { ...pageOptions, upTo: place.seq }) };
    },

    async restart(app, topic) {
      rows.restart(app, topic);
    },

    ...createMemoryTicks({ rows, histories, clock, beforeWrite }),
    ...createMemoryMover({ rows, histories, findKeyed }),
  };
}

function counted(appended: Appended, ticking: Ticking | undefined): Appended {
  return ticking === undefined ? appended : { ...appended, ticking };
}

function randomEpoch(): string {
  return Math.floor(Math.random() * 36 ** 8).toString(36);
}
