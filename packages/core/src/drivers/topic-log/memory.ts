import type { Place, Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import type { AppId, LoggedMessage } from "../../model.ts";
import { type Batch, type TopicLog, VOID_AFTER_MS } from "../../ports/topic-log.ts";

export interface MemoryTopicLogOptions {
  readonly clock: Clock;
  /** History: the newest messages that are kept, and for how long. */
  readonly maxMessages?: number;
  readonly maxAgeMs?: number;
  /** How long a topic may lie still before it, and its epoch, are forgotten. Longer than any connection lives. */
  readonly maxIdleMs?: number;
  /** Topics that are remembered, and characters of all history as JSON. Beyond, those still for longest are forgotten or lose their history. */
  readonly maxTopics?: number;
  readonly maxTotalLength?: number;
  readonly newEpoch?: () => string;
  /** Awaited between taking a number and writing it, where a real publisher may be late or die. */
  readonly beforeWrite?: () => Promise<void>;
}

interface Taken {
  readonly first: number;
  readonly last: number;
  readonly takenAt: number;
}

interface Entry {
  readonly message: LoggedMessage;
  /** Characters of its payload as JSON. */
  readonly length: number;
}

interface TopicRow {
  readonly epoch: string;
  /** The last number taken. */
  taken: number;
  /** Every number up to it is written or void. */
  settled: number;
  /** Numbers taken and neither written nor void yet, by their first. */
  readonly empty: Map<number, Taken>;
  /** Ascending; later messages may be written while earlier numbers are empty. */
  entries: Entry[];
  /** Every message up to it was dropped from the history. */
  dropped: number;
  /** Unix ms of the last call about the topic, and of its last message. */
  activeAt: number;
  writtenAt: number;
}

export function createMemoryTopicLog(options: MemoryTopicLogOptions): TopicLog {
  const { clock, maxMessages = 1_000, maxAgeMs = 120_000, maxIdleMs = 86_400_000, beforeWrite } = options;
  const { newEpoch = randomEpoch, maxTopics = 100_000, maxTotalLength = 256 * 1024 * 1024 } = options;
  /** The topic that was still for longest comes first. */
  const rows = new Map<string, TopicRow>();
  /** Those with messages; the one that got none for longest comes first. */
  const histories = new Map<string, TopicRow>();
  let totalLength = 0;

  function rowOf(app: AppId, topic: Topic): TopicRow {
    const key = keyOf(app, topic);
    const now = clock.now();
    const row = rows.get(key) ?? create(now);
    row.activeAt = now;
    rows.delete(key);
    rows.set(key, row);
    for (const [oldest, { activeAt }] of rows) {
      if (now - activeAt <= maxIdleMs && rows.size <= maxTopics) break;
      forgetHistory(oldest);
      rows.delete(oldest);
    }
    return row;
  }

  function create(now: number): TopicRow {
    return {
      epoch: newEpoch(),
      taken: 0,
      settled: 0,
      empty: new Map(),
      entries: [],
      dropped: 0,
      activeAt: now,
      writtenAt: now,
    };
  }

  function take(row: TopicRow, count: number): Taken {
    const taken = { first: row.taken + 1, last: row.taken + count, takenAt: clock.now() };
    row.taken = taken.last;
    row.empty.set(taken.first, taken);
    return taken;
  }

  /** Undefined where a reader made the numbers void meanwhile. */
  function write(row: TopicRow, { first }: Taken, { payloads, from, time }: Batch): LoggedMessage[] | undefined {
    if (!row.empty.delete(first)) return undefined;
    const messages = payloads.map((payload, index) => {
      return { seq: first + index, payload, ...(from !== undefined && { from }), time };
    });
    const entries = messages.map((message) => ({ message, length: JSON.stringify(message.payload).length }));
    totalLength += lengthOf(entries);
    insert(row.entries, entries);
    settle(row);
    return messages;
  }

  /** Makes void what stayed empty for too long, and moves the settled place on. */
  function settle(row: TopicRow): void {
    const now = clock.now();
    let settled = row.taken;
    // Numbers ascend in the map, as they were taken.
    for (const [first, { takenAt }] of row.empty) {
      if (now - takenAt < VOID_AFTER_MS) {
        settled = first - 1;
        break;
      }
      row.empty.delete(first);
    }
    row.settled = settled;
  }

  /** How many of the messages at hand history no longer keeps. */
  function outdated({ entries }: TopicRow): number {
    const oldest = clock.now() - maxAgeMs;
    let count = Math.max(0, entries.length - maxMessages);
    while (count < entries.length && (entries[count] as Entry).message.time <= oldest) count++;
    return count;
  }

  function drop(row: TopicRow, count: number): void {
    row.dropped = row.entries[count - 1]?.message.seq ?? row.dropped;
    totalLength -= lengthOf(row.entries.slice(0, count));
    row.entries = row.entries.slice(count);
  }

  function forgetHistory(key: string): void {
    const row = histories.get(key);
    if (row === undefined) return;
    drop(row, row.entries.length);
    histories.delete(key);
  }

  /** Drops what history no longer keeps: of this topic in strides, so that the cost of an append is level, and of topics gone silent. */
  function trim(app: AppId, topic: Topic, row: TopicRow): void {
    const count = outdated(row);
    if (count * 4 > maxMessages) drop(row, count);
    row.writtenAt = clock.now();
    histories.delete(keyOf(app, topic));
    histories.set(keyOf(app, topic), row);
    for (const [key, { writtenAt }] of histories) {
      if (clock.now() - writtenAt <= maxAgeMs && totalLength <= maxTotalLength) break;
      forgetHistory(key);
    }
  }

  return {
    async append(app, topic, batch) {
      const row = rowOf(app, topic);
      for (;;) {
        const taken = take(row, batch.payloads.length);
        await beforeWrite?.();
        const messages = write(row, taken, batch);
        if (messages === undefined) continue;
        trim(app, topic, row);
        return { epoch: row.epoch, messages };
      }
    },

    async place(app, topic) {
      const row = rowOf(app, topic);
      settle(row);
      return placeOf(row);
    },

    async readSince(app, topic, since, limit) {
      const row = rowOf(app, topic);
      settle(row);
      const place = placeOf(row);
      const isOther = since.epoch !== row.epoch || since.seq > row.taken;
      const start = outdated(row);
      const dropped = row.entries[start - 1]?.message.seq ?? row.dropped;
      if (isOther || since.seq < dropped) return { recovered: false, place };
      const kept = row.entries.slice(start).map(({ message }) => message);
      const after = kept.filter(({ seq }) => seq > since.seq && seq <= row.settled);
      return { recovered: true, place, messages: after.slice(0, limit), more: after.length > limit };
    },
  };
}

/** Neither an application's name nor a topic holds a NUL. */
function keyOf(app: AppId, topic: Topic): string {
  return `${app}\0${topic}`;
}

function placeOf({ epoch, settled }: TopicRow): Place {
  return { epoch, seq: settled };
}

/** Adds entries at their place; nearly always the end. */
function insert(into: Entry[], entries: readonly Entry[]): void {
  const first = (entries[0] as Entry).message.seq;
  let index = into.length;
  while (index > 0 && (into[index - 1] as Entry).message.seq > first) index--;
  into.splice(index, 0, ...entries);
}

function lengthOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { length }) => sum + length, 0);
}

function randomEpoch(): string {
  return Math.floor(Math.random() * 36 ** 8).toString(36);
}
