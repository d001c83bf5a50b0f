import { UnavailableError } from "../../errors.ts";
import { VOID_AFTER_MS } from "../../ports/topic-log.ts";
import type { TopicHash } from "../dynamodb/keys.ts";
import { isNearItsEnd, type TopicHead, type TopicHeads, takenBy } from "./dynamodb-head.ts";
import type { LogMark, LogRange, LogRows } from "./dynamodb-rows.ts";
import { SETTLED_AFTER_MS } from "./dynamodb-times.ts";

/** Rows of the first page, enough for a topic that isn't busy, and of the next. */
const FIRST_PAGE_ROWS = 16;
const PAGE_ROWS = 256;
/** More is never unsettled: a partition takes 1,000 rows a second. */
const MAX_PAGES = 64;
/** A reader that had to look at more rows than this saves the next one the same. */
const CHECKPOINT_ROWS = 50;
/** Numbers that one reader makes void; those behind wait for the next. */
const MAX_VOIDS = 100;
/** Times that a reader begins again because a late publisher was quicker. */
const MAX_TRIES = 5;

export interface SettlingOptions {
  readonly heads: TopicHeads;
  readonly rows: LogRows;
  /** Unix ms. */
  readonly now: () => number;
}

export interface Settled {
  readonly head: TopicHead;
  /** Every number up to it is written or void. */
  readonly seq: number;
}

/** How far a topic is settled now; makes void what is overdue. Begins the topic where there is none. */
export type Settle = (topic: TopicHash) => Promise<Settled>;

export function createSettle({ heads, rows, now }: SettlingOptions): Settle {
  /** What isn't settled by its age or by a checkpoint, ascending. */
  async function unsettled(topic: TopicHash, head: TopicHead): Promise<{ marks: LogMark[]; base: number }> {
    const settledBy = now() - SETTLED_AFTER_MS;
    const base = Math.max(head.checkpoint, takenBy(head, settledBy));
    const marks: LogMark[] = [];
    if (base >= head.last) return { marks, base: head.last };
    const range: LogRange = { topic, epoch: head.epoch, first: base + 1, last: head.last };
    let after: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const limit = page === 0 ? FIRST_PAGE_ROWS : PAGE_ROWS;
      const at = after === undefined ? {} : { after };
      const { rows: found, next } = await rows.marks({ ...range, ...at, limit, order: "descending" });
      for (const mark of found) {
        if (mark.takenBy <= settledBy) return { marks: marks.reverse(), base: mark.last };
        marks.push(mark);
      }
      if (next === undefined) return { marks: marks.reverse(), base };
      after = next;
    }
    throw new UnavailableError("store", `A topic has more than ${marks.length} unsettled rows. Try again.`);
  }

  /**
   * Makes all of these void; false where one of them was written meanwhile. A batch is written under its first number, and which that is
   * isn't known: so each number gets its mark, and the lower before the higher, or a mark could come to lie inside a batch.
   */
  async function makeVoid({ topic, epoch, first, last }: LogRange): Promise<boolean> {
    const overdueBy = now() - VOID_AFTER_MS;
    for (let seq = first; seq <= last; seq++) {
      if (!(await rows.makeVoid(topic, epoch, seq, overdueBy))) return false;
    }
    return true;
  }

  /** Undefined where a late publisher wrote what was to become void. */
  async function settleOnce(topic: TopicHash, head: TopicHead): Promise<{ seq: number; looked: number } | undefined> {
    const { marks, base } = await unsettled(topic, head);
    const overdue = overdueUpTo(head, marks, now() - VOID_AFTER_MS);
    const ends = [...marks, { first: head.last + 1, last: head.last }];
    let seq = base;
    for (const { first, last } of ends) {
      // The numbers from seq + 1 up to here are empty.
      const voidTo = Math.min(first - 1, overdue, seq + MAX_VOIDS);
      if (voidTo > seq) {
        if (!(await makeVoid({ topic, epoch: head.epoch, first: seq + 1, last: voidTo }))) return undefined;
        seq = voidTo;
      }
      if (seq < first - 1) break;
      seq = last;
    }
    return { seq, looked: marks.length };
  }

  async function keep(topic: TopicHash, head: TopicHead, seq: number, looked: number): Promise<void> {
    if (looked > CHECKPOINT_ROWS || isNearItsEnd(head, now())) await heads.keep(topic, head, seq);
  }

  return async (topic) => {
    const head = await heads.read(topic);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const settled = await settleOnce(topic, head);
      if (settled === undefined) continue;
      await keep(topic, head, settled.seq, settled.looked);
      return { head, seq: settled.seq };
    }
    throw new UnavailableError("store", `The topic could not be settled in ${MAX_TRIES} tries. Try again.`);
  };
}

/** The last number that was taken by `time`, by what the topic and its rows say. */
function overdueUpTo(head: TopicHead, marks: readonly LogMark[], time: number): number {
  return Math.max(takenBy(head, time), ...marks.filter((mark) => mark.takenBy <= time).map(({ last }) => last));
}
