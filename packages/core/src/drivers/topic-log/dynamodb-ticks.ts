import {
  GATHERED_AFTER_MS,
  type Gathering,
  type Ticking,
  type TickMessage,
  type TickPage,
  type WakeUp,
} from "../../ports/ticks.ts";
import { MAX_PAGE_BYTES, VOID_AFTER_MS } from "../../ports/topic-log.ts";
import type { TopicHash } from "../topic-hash.ts";
import type { GatheredRows } from "./dynamodb-gathered-rows.ts";
import type { TopicHead, TopicHeads } from "./dynamodb-head.ts";
import type { LogRow, LogRows } from "./dynamodb-rows.ts";
import type { Settle } from "./dynamodb-settling.ts";
import { takenBy } from "./dynamodb-takings.ts";
import type { TickMarkRows } from "./dynamodb-tick-marks.ts";

/** Of one read; a tick has as many where a topic gets two thousand messages a second. */
const READ_ROWS = 100;

export interface DynamoDbTicksOptions {
  readonly heads: TopicHeads;
  readonly marks: TickMarkRows;
  readonly rows: LogRows;
  readonly gatheredRows: GatheredRows;
  readonly settle: Settle;
  /** Unix ms. */
  readonly now: () => number;
}

/** `Ticks`, of topics that are named by their hash. */
export interface DynamoDbTicks {
  gather(topic: TopicHash, gathering: Gathering): Promise<Ticking>;
  ticking(topic: TopicHash): Promise<Ticking | undefined>;
  replaceWakeUp(topic: TopicHash, from: WakeUp, to: WakeUp): Promise<boolean>;
  readTick(topic: TopicHash, epoch: string, after: number): Promise<TickPage | undefined>;
  claimTick(topic: TopicHash, page: TickPage, next: WakeUp): Promise<boolean>;
  endTicks(topic: TopicHash, page: TickPage): Promise<boolean>;
}

/** Numbered messages from a number on. */
interface Run {
  readonly numbered: readonly TickMessage[];
  /** Up to here there is no gap. */
  readonly seq: number;
  readonly isFull: boolean;
  /** The first row behind the gap. */
  readonly beyond?: LogRow;
}

/**
 * A tick reads the topic's row, and the rows behind the place where the last one ended: what they hold tells too how far they are settled, and nothing that
 * was settled before is looked at again.
 */
export function createDynamoDbTicks(options: DynamoDbTicksOptions): DynamoDbTicks {
  const { heads, marks, rows, gatheredRows, settle, now } = options;

  async function readRun(topic: TopicHash, { epoch, last }: TopicHead, after: number): Promise<Run> {
    const numbered: TickMessage[] = [];
    let [seq, bytes] = [after, 0];
    let next: string | undefined;
    if (last <= after) return { numbered, seq, isFull: false };
    do {
      const at = next === undefined ? {} : { after: next };
      const page = await rows.rows({
        topic,
        epoch,
        first: after + 1,
        last,
        ...at,
        limit: READ_ROWS,
        order: "ascending",
      });
      for (const row of page.rows) {
        if (row.first > seq + 1) return { numbered, seq, isFull: false, beyond: row };
        // Numbers that are void together may have marks of their own too.
        seq = Math.max(seq, row.last);
        const { messages, except } = row;
        numbered.push(...messages.map((message) => ({ message, ...(except !== undefined && { except }) })));
        bytes += messages.reduce((sum, { payload }) => sum + Buffer.byteLength(JSON.stringify(payload)), 0);
        if (bytes >= MAX_PAGE_BYTES) return { numbered, seq, isFull: seq < last };
      }
      next = page.next;
    } while (next !== undefined);
    return { numbered, seq, isFull: false };
  }

  function isOverdue(head: TopicHead, { seq, isFull, beyond }: Run): boolean {
    if (isFull || seq >= head.last) return false;
    const overdueBy = now() - VOID_AFTER_MS;
    return takenBy(head, overdueBy) > seq || (beyond !== undefined && beyond.takenBy <= overdueBy);
  }

  async function readNumbered(topic: TopicHash, head: TopicHead, after: number): Promise<Run> {
    const run = await readRun(topic, head, after);
    if (!isOverdue(head, run)) return run;
    // Makes it void.
    await settle(topic);
    return readRun(topic, head, after);
  }

  async function readGathered(topic: TopicHash, { epoch, ticks }: TopicHead) {
    const { gathered, handedOut, gatheredAt } = ticks;
    const messages: TickMessage[] = [];
    if (gathered <= handedOut) return { messages, upTo: gathered };
    const page = await gatheredRows.newest(topic, epoch, handedOut + 1, gathered);
    const [first] = page.rows;
    let upTo = page.isCut && first !== undefined ? first.number - 1 : handedOut;
    const givenUpBy = now() - GATHERED_AFTER_MS;
    const isGivenUp = (behind: number) =>
      gatheredAt <= givenUpBy || page.rows.some((row) => row.number > behind && row.time <= givenUpBy);
    for (const row of page.rows) {
      if (row.number > upTo + 1 && !isGivenUp(upTo + 1)) return { messages, upTo };
      messages.push(...row.messages);
      upTo = row.number;
    }
    return { messages, upTo: gatheredAt <= givenUpBy ? gathered : upTo };
  }

  return {
    async gather(topic, gathering) {
      const counted = await heads.gather(topic, gathering.tick);
      await gatheredRows.write(topic, counted, gathering);
      return counted.ticking;
    },

    ticking: async (topic) => (await heads.look(topic))?.ticks.ticking,

    replaceWakeUp: (topic, from, to) => marks.replace(topic, from, to),

    async readTick(topic, epoch, after) {
      const head = await heads.look(topic);
      if (head?.epoch !== epoch) return undefined;
      const { ticking, gathered } = head.ticks;
      const [{ numbered, seq, isFull }, found] = await Promise.all([
        readNumbered(topic, head, after),
        readGathered(topic, head),
      ]);
      return {
        ...(ticking !== undefined && { ticking }),
        numbered,
        upTo: { epoch, seq },
        isFull,
        gathered: found.messages,
        gatheredUpTo: found.upTo,
        isAll: seq === head.last && found.upTo === gathered,
      };
    },

    async claimTick(topic, { ticking, upTo, gatheredUpTo }, next) {
      if (ticking === undefined) return false;
      return marks.handOut(topic, ticking.wakeUp, next, { upTo: upTo.seq, gatheredUpTo });
    },

    async endTicks(topic, { ticking, upTo, gatheredUpTo }) {
      if (ticking === undefined) return false;
      return marks.end(topic, ticking.wakeUp, { upTo: upTo.seq, gatheredUpTo });
    },
  };
}
