import { UnavailableError } from "../../errors.ts";
import { VOID_AFTER_MS } from "../../ports/topic-log.ts";
import type { TopicHash } from "../topic-hash.ts";
import { isNearItsEnd, type TopicHead, type TopicHeads } from "./dynamodb-head.ts";
import type { LogMark, LogRange, LogRows } from "./dynamodb-rows.ts";
import { takenBy } from "./dynamodb-takings.ts";
import { SETTLED_AFTER_MS } from "./dynamodb-times.ts";

/**
 * Rows of the first page, enough for a topic that isn't busy, and of the longest. Each page is twice as long as the one before: a reader
 * finds out only on the way how far it must go, and rows may be large.
 */
const FIRST_PAGE_ROWS = 16;
const MAX_PAGE_ROWS = 256;
/** More is never unsettled: a partition takes 1,000 rows a second. */
const MAX_PAGES = 64;
/** A reader that can save the next one more read units than this leaves a checkpoint: a write costs as much as five (prices of us-east-1). */
const CHECKPOINT_UNITS = 5;
/**
 * One of so many does where it saves just that, and the more the more it saves: when everyone comes back at once they all find the same, and the topic's
 * row takes 1,000 writes a second.
 */
const READERS_PER_CHECKPOINT = 8;
const MAX_CHECKPOINT_CHANCE = 0.5;
/** Numbers that one reader makes void; those behind wait for the next. */
const MAX_VOIDS = 100;
/** Times that a reader begins again because a late publisher was quicker. */
const MAX_TRIES = 5;
/** The same for a topic that moves: each try makes up to {@link MAX_VOIDS} void, and who loses them to others comes further each time. */
const MAX_TRIES_OF_ALL = 20;

export interface SettlingOptions {
  readonly heads: TopicHeads;
  readonly rows: LogRows;
  /** Unix ms. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface Settled {
  readonly head: TopicHead;
  /** Every number up to it is written or void. */
  readonly seq: number;
}

/** How far a topic is settled now; makes void what is overdue. Begins the topic where there is none. Throws `MovedError`. */
export type Settle = (topic: TopicHash) => Promise<Settled>;

/** Makes void every number of a topic that isn't written, however young: it takes no more of them here. */
export type SettleAll = (topic: TopicHash, sealed: TopicHead) => Promise<void>;

/** What is known of the numbers above `base`, ascending; all up to it are settled. */
interface Unsettled {
  readonly base: number;
  readonly marks: readonly LogMark[];
  /** Read units that finding it took. */
  readonly units: number;
}

interface Progress {
  /** Every number up to it is written or void. */
  readonly seq: number;
  /** Read units that a checkpoint there saves the next reader. */
  readonly savedUnits: number;
}

export function createSettling({ heads, rows, now, random }: SettlingOptions): {
  settle: Settle;
  settleAll: SettleAll;
} {
  /** What isn't settled by its age or by a checkpoint. */
  async function unsettled(topic: TopicHash, head: TopicHead): Promise<Unsettled> {
    const settledBy = now() - SETTLED_AFTER_MS;
    const base = Math.max(head.checkpoint, takenBy(head, settledBy));
    const marks: LogMark[] = [];
    let units = 0;
    if (base >= head.last) return { base: head.last, marks, units };
    const range: LogRange = { topic, epoch: head.epoch, first: base + 1, last: head.last };
    let after: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const limit = Math.min(FIRST_PAGE_ROWS * 2 ** page, MAX_PAGE_ROWS);
      const at = after === undefined ? {} : { after };
      const found = await rows.marks({ ...range, ...at, limit, order: "descending" });
      units += found.units;
      const old = found.rows.findIndex((mark) => mark.takenBy <= settledBy);
      marks.push(...(old < 0 ? found.rows : found.rows.slice(0, old)));
      if (old >= 0) return { base: (found.rows[old] as LogMark).last, marks: marks.reverse(), units };
      if (found.next === undefined) return { base, marks: marks.reverse(), units };
      after = found.next;
    }
    throw new UnavailableError("store", `A topic has more than ${marks.length} unsettled rows. Try again.`);
  }

  /**
   * Makes all of these void; false where one of them was written or made void by others meanwhile. A batch is written under its first number, and which that is
   * isn't known: so each number gets its mark, and the lower before the higher, or a mark could come to lie inside a batch.
   */
  async function makeVoid({ topic, epoch, first, last }: LogRange, takenBy: number): Promise<boolean> {
    for (let seq = first; seq <= last; seq++) {
      if (!(await rows.makeVoid({ topic, epoch, first: seq, last: seq }, takenBy))) return false;
    }
    return true;
  }

  /** Makes void what was taken by `overdueBy` (Unix ms). Undefined where a late publisher was quicker with what was to become void. */
  async function settleOnce(topic: TopicHash, head: TopicHead, overdueBy: number): Promise<Progress | undefined> {
    const { base, marks, units } = await unsettled(topic, head);
    const overdue = head.move.isSealed ? head.last : overdueUpTo(head, marks, overdueBy);
    const ends = [...marks, { first: head.last + 1, last: head.last }];
    let seq = base;
    for (const { first, last } of ends) {
      // The numbers from seq + 1 up to here are empty.
      const voidTo = Math.min(first - 1, overdue, seq + MAX_VOIDS);
      if (voidTo > seq) {
        if (!(await makeVoid({ topic, epoch: head.epoch, first: seq + 1, last: voidTo }, overdueBy))) return undefined;
        seq = voidTo;
      }
      if (seq < first - 1) break;
      // Numbers that are void together may have marks of their own too.
      seq = Math.max(seq, last);
    }
    // What was read above the new place is read again by the next reader.
    return { seq, savedUnits: seq > base ? (units * (seq - base)) / (head.last - base) : 0 };
  }

  async function keep(topic: TopicHash, head: TopicHead, { seq, savedUnits }: Progress): Promise<void> {
    const gain = savedUnits / CHECKPOINT_UNITS;
    const isWorthIt = gain > 1 && random() < Math.min(gain / READERS_PER_CHECKPOINT, MAX_CHECKPOINT_CHANCE);
    if (!isWorthIt && !isNearItsEnd(head, now())) return;
    try {
      await heads.keep(topic, head, seq);
    } catch (error) {
      // The place is right without it: the next reader reads more, or gives the topic its longer life.
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  async function settle(topic: TopicHash): Promise<Settled> {
    // Read once for all tries: what it says stays true, and what was taken later is beyond the place that was asked for.
    const head = await heads.read(topic);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const progress = await settleOnce(topic, head, now() - VOID_AFTER_MS);
      if (progress === undefined) continue;
      await keep(topic, head, progress);
      return { head, seq: progress.seq };
    }
    throw new UnavailableError("store", `The topic could not be settled in ${MAX_TRIES} tries. Try again.`);
  }

  async function settleAll(topic: TopicHash, sealed: TopicHead): Promise<void> {
    for (let attempt = 0; attempt < MAX_TRIES_OF_ALL; attempt++) {
      const progress = await settleOnce(topic, sealed, now());
      if (progress?.seq === sealed.last) return;
    }
    throw new UnavailableError("store", `The topic could not be settled in ${MAX_TRIES_OF_ALL} tries. Try again.`);
  }

  return { settle, settleAll };
}

/** The last number that was taken by `time`, by what the topic and its rows say. */
function overdueUpTo(head: TopicHead, marks: readonly LogMark[], time: number): number {
  return Math.max(takenBy(head, time), ...marks.filter((mark) => mark.takenBy <= time).map(({ last }) => last));
}
