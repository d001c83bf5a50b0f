import type { Clock } from "../../clock.ts";
import type { ConnectionId, LoggedMessage } from "../../model.ts";
import type { TickMessage } from "../../ports/ticks.ts";
import { MAX_PAGE_BYTES, type PageOptions, type Retention } from "../../ports/topic-log.ts";
import { createOrder } from "./memory-order.ts";

/** What a message takes besides its payload, about: objects, sender and key. So many small ones don't take far more than they count. */
const ENTRY_BYTES = 200;
/** A silent topic keeps what may wait for a tick for so long: far longer than any does. */
const TICK_LIFE_MS = 3_600_000;
/** Histories that each write looks at, whether their topic is silent: more than it can add. */
const LOOKS_AT_SILENT = 2;

interface Entry {
  readonly message: LoggedMessage;
  /** Of its payload as JSON. */
  readonly payloadBytes: number;
  /** The connection that gets no copy, where a tick is to deliver it. */
  readonly except?: ConnectionId | undefined;
}

/** One epoch's messages that are at hand. */
export interface History {
  /** Ascending; later messages may be written while earlier numbers are empty. */
  entries: Entry[];
  /** Every message up to it was dropped. */
  dropped: number;
  /** Unix ms of its last message. */
  writtenAt: number;
  /** As the last append gave it. */
  retention: Retention;
  /** Whether what was added last had still to be taken by a tick, or an earlier number to be written. */
  isWaiting: boolean;
}

/** How what is added is kept. */
export interface Keeping extends Pick<HistoryQuery, "retention" | "upTo"> {
  readonly except?: ConnectionId | undefined;
}

/** What of a history is asked for: up to `upTo`, where it is settled. */
export interface HistoryQuery extends PageOptions {
  readonly upTo: number;
}

export interface HistoryPage {
  readonly messages: readonly LoggedMessage[];
  readonly more: boolean;
}

/** All histories, and what they hold together. */
export interface Histories {
  readonly bytes: number;
  /** Returns the bytes that it adds. Drops what is no longer kept, none of it beyond `upTo`: below that a late message may still come. */
  add(history: History, messages: readonly LoggedMessage[], options: Keeping): number;
  /** Drops a whole history. */
  forget(history: History): void;
  /** Drops the history that got no message for longest; false where there is none. */
  forgetOldest(): boolean;
  /** Undefined where something after `after` is no longer kept. */
  readSince(history: History, after: number, query: HistoryQuery): HistoryPage | undefined;
  readLatest(history: History, query: HistoryQuery): HistoryPage;
  /** Those of these numbers that are still at hand. */
  between(history: History, first: number, last: number): readonly LoggedMessage[];
  /** The same, as a tick delivers them; the first of them where all are more than a page. */
  tickBetween(history: History, first: number, last: number): readonly TickMessage[];
}

export function createHistory(): History {
  return { entries: [], dropped: 0, writtenAt: 0, retention: { maxMessages: 0, maxAgeMs: 0 }, isWaiting: false };
}

export function createHistories({ now }: Pick<Clock, "now">): Histories {
  /** Those with messages; the one that got none for longest is the oldest. */
  const written = createOrder<History>();
  /** The same; the one that was looked at least lately is the oldest. */
  const looked = createOrder<History>();
  let bytes = 0;

  function isOutdated({ entries }: History, index: number, { maxMessages, maxAgeMs }: Retention): boolean {
    return index < entries.length - maxMessages || entryAt(entries, index).message.time <= now() - maxAgeMs;
  }

  function drop(history: History, count: number): void {
    if (count === 0) return;
    // Where a whole history went, a late message may lie below what was dropped before it came.
    history.dropped = Math.max(history.dropped, entryAt(history.entries, count - 1).message.seq);
    bytes -= bytesOf(history.entries.slice(0, count));
    history.entries = history.entries.slice(count);
  }

  /** Only once a quarter is outdated, so that the cost of a write is level. */
  function trim(history: History, upTo: number): void {
    const { entries, retention } = history;
    if (!isOutdated(history, entries.length >> 2, retention)) return;
    const end = firstAbove(entries, upTo);
    // From the beginning on: one whose publisher was late is older than those before it, and takes none of them along.
    let count = 0;
    while (count < end && isOutdated(history, count, retention)) count++;
    drop(history, count);
  }

  function forget(history: History): void {
    drop(history, history.entries.length);
    written.delete(history);
    looked.delete(history);
  }

  /** A topic that gets no more messages drops what it has by nobody's call but others'. */
  function forgetSilent(): void {
    for (let looks = 0; looks < LOOKS_AT_SILENT; looks++) {
      const { oldest } = looked;
      if (oldest === undefined) return;
      const lifeMs = Math.max(oldest.retention.maxAgeMs, oldest.isWaiting ? TICK_LIFE_MS : 0);
      if (now() - oldest.writtenAt > lifeMs) forget(oldest);
      else looked.touch(oldest);
    }
  }

  return {
    get bytes() {
      return bytes;
    },

    add(history, messages, { retention, upTo, except }) {
      const entries = messages.map((message) => ({
        message,
        payloadBytes: Buffer.byteLength(JSON.stringify(message.payload)),
        except,
      }));
      insert(history.entries, entries);
      const added = bytesOf(entries);
      bytes += added;
      history.writtenAt = now();
      history.retention = retention;
      history.isWaiting = upTo < entryAt(history.entries, history.entries.length - 1).message.seq;
      trim(history, upTo);
      written.touch(history);
      looked.touch(history);
      forgetSilent();
      return added;
    },

    forget,

    forgetOldest() {
      const { oldest } = written;
      if (oldest !== undefined) forget(oldest);
      return oldest !== undefined;
    },

    readSince(history, after, { upTo, limit, retention }) {
      const { entries, dropped } = history;
      const start = firstAbove(entries, after);
      const end = firstAbove(entries, upTo);
      // A whole history may be dropped beyond what is settled, which isn't asked for yet.
      if (after < Math.min(dropped, upTo) || (start < end && isOutdated(history, start, retention))) return undefined;
      let index = start;
      let pageBytes = 0;
      for (; index < end && index - start < limit; index++) {
        pageBytes += entryAt(entries, index).payloadBytes;
        if (index > start && pageBytes > MAX_PAGE_BYTES) break;
      }
      return { messages: messagesOf(entries.slice(start, index)), more: index < end };
    },

    between({ entries }, first, last) {
      return messagesOf(entries.slice(firstAbove(entries, first - 1), firstAbove(entries, last)));
    },

    tickBetween({ entries }, first, last) {
      let bytes = 0;
      const found: TickMessage[] = [];
      for (const { message, payloadBytes, except } of entries.slice(
        firstAbove(entries, first - 1),
        firstAbove(entries, last),
      )) {
        if (bytes >= MAX_PAGE_BYTES) break;
        bytes += payloadBytes;
        found.push({ message, ...(except !== undefined && { except }) });
      }
      return found;
    },

    readLatest(history, { upTo, limit, retention }) {
      const { entries } = history;
      const end = firstAbove(entries, upTo);
      let start = end;
      let pageBytes = 0;
      const isWanted = () => start > 0 && end - start < limit && !isOutdated(history, start - 1, retention);
      while (isWanted()) {
        pageBytes += entryAt(entries, start - 1).payloadBytes;
        if (start < end && pageBytes > MAX_PAGE_BYTES) break;
        start--;
      }
      return { messages: messagesOf(entries.slice(start, end)), more: isWanted() };
    },
  };
}

function entryAt(entries: readonly Entry[], index: number): Entry {
  return entries[index] as Entry;
}

function messagesOf(entries: readonly Entry[]): LoggedMessage[] {
  return entries.map(({ message }) => message);
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { payloadBytes }) => sum + payloadBytes + ENTRY_BYTES, 0);
}

/** Adds entries at their place; nearly always the end. */
function insert(into: Entry[], entries: readonly Entry[]): void {
  const first = entryAt(entries, 0).message.seq;
  let index = into.length;
  while (index > 0 && entryAt(into, index - 1).message.seq > first) index--;
  into.splice(index, 0, ...entries);
}

/** The index of the first entry whose number is above `seq`, by bisection. */
function firstAbove(entries: readonly Entry[], seq: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entryAt(entries, middle).message.seq > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}
