import type { LoggedMessage } from "../../model.ts";
import { MAX_PAGE_BYTES, type PageOptions } from "../../ports/topic-log.ts";
import type { LogPageQuery, LogRange, LogRow, LogRows } from "./dynamodb-rows.ts";
import { CLOCK_SKEW_MS, LOG_ROW_LIFE_MS } from "./dynamodb-times.ts";

/** Rows of the first read, and of the longest; DynamoDB ends it at 1 MB. */
const FIRST_READ_ROWS = 16;
const MAX_READ_ROWS = 256;

export interface EpochRange extends LogRange {
  /** Unix ms: none of the epoch's numbers was taken before. */
  readonly firstTakenAt: number | undefined;
}

export interface HistoryPage {
  readonly messages: readonly LoggedMessage[];
  /** Whether messages are left out that belong to the range, and to the number that was asked for where that is counted from its end. */
  readonly more: boolean;
}

export interface HistoryOptions {
  readonly rows: LogRows;
  /** Unix ms. */
  readonly now: () => number;
}

/** Reads settled ranges. */
export interface History {
  /** From the first on; undefined where one of the messages is no longer kept, or that can't be told. */
  oldest(range: EpochRange, options: PageOptions): Promise<HistoryPage | undefined>;
  /** From the last down, in ascending order. */
  newest(range: LogRange, options: PageOptions): Promise<HistoryPage>;
}

export function createHistory({ rows, now }: HistoryOptions): History {
  /** The rows that begin in a range, in reads that are as long as a page needs by the size of the rows so far. */
  async function* rowsIn(range: Omit<LogPageQuery, "limit" | "after">, limit: number): AsyncGenerator<LogRow, void> {
    const maxRows = Math.min(limit + 1, MAX_READ_ROWS);
    let size = Math.min(maxRows, FIRST_READ_ROWS);
    let after: string | undefined;
    let [count, bytes] = [0, 0];
    do {
      const page = await rows.rows({ ...range, limit: size, ...(after !== undefined && { after }) });
      yield* page.rows;
      after = page.next;
      count += page.rows.length;
      bytes += page.rows.flatMap(({ messages }) => messages).reduce((sum, message) => sum + bytesOf(message), 0);
      const filling = Math.ceil(((MAX_PAGE_BYTES - bytes) * count) / Math.max(1, bytes));
      size = Math.max(1, Math.min(maxRows, filling));
    } while (after !== undefined);
  }

  /** The row in which a range may begin, where its first number has none of its own. */
  async function rowBelow({ first, ...range }: LogRange): Promise<readonly LogRow[]> {
    if (first <= 1) return [];
    return (await rows.rows({ ...range, first: 1, last: first - 1, limit: 1, order: "descending" })).rows;
  }

  async function* ascending(range: LogRange, limit: number): AsyncGenerator<LogRow, void> {
    let isFirst = true;
    for await (const row of rowsIn({ ...range, order: "ascending" }, limit)) {
      if (isFirst && row.first !== range.first) yield* await rowBelow(range);
      isFirst = false;
      yield row;
    }
    if (isFirst) yield* await rowBelow(range);
  }

  async function* descending(range: LogRange, limit: number): AsyncGenerator<LogRow, void> {
    let lowest = range.last + 1;
    for await (const row of rowsIn({ ...range, order: "descending" }, limit)) {
      lowest = row.first;
      yield row;
    }
    if (lowest > range.first) yield* await rowBelow(range);
  }

  /** None of its rows has been deleted yet: what isn't there was never written. */
  function isYoung({ firstTakenAt }: EpochRange): boolean {
    return firstTakenAt !== undefined && now() < firstTakenAt + LOG_ROW_LIFE_MS - CLOCK_SKEW_MS;
  }

  return {
    async oldest(range, { limit, retention }) {
      const keptAfter = now() - retention.maxAgeMs;
      const page = createPage(limit);
      let isProven = isYoung(range);
      for await (const row of ascending(range, limit)) {
        // A row is there until its TTL, and higher numbers have later ones. So behind a valid row, what isn't there was never written.
        isProven ||= row.first <= range.first && row.expiresAt > now();
        if (!isProven) return undefined;
        const found = row.messages.filter(({ seq }) => seq >= range.first);
        if (found.length > 0 && page.messages.length === 0 && row.takenBy <= keptAfter) return undefined;
        if (!page.add(found)) return { messages: page.messages, more: true };
      }
      return isProven ? { messages: page.messages, more: false } : undefined;
    },

    async newest(range, { limit, retention }) {
      const keptAfter = now() - retention.maxAgeMs;
      const page = createPage(limit);
      for await (const row of descending(range, limit)) {
        if (row.takenBy <= keptAfter) break;
        if (!page.add(row.messages.filter(({ seq }) => seq >= range.first).reverse())) break;
      }
      return { messages: page.messages.reverse(), more: page.hasLeftOut };
    },
  };
}

/** Collects messages up to their number and bytes. */
function createPage(limit: number) {
  const messages: LoggedMessage[] = [];
  let bytes = 0;
  let hasLeftOut = false;
  return {
    messages,
    /** Whether a message had no place though it was within the limit. */
    get hasLeftOut() {
      return hasLeftOut;
    },
    /** False where one of them had no place: the page is full. */
    add(found: readonly LoggedMessage[]): boolean {
      for (const message of found) {
        if (messages.length >= limit) return false;
        bytes += bytesOf(message);
        hasLeftOut = messages.length > 0 && bytes > MAX_PAGE_BYTES;
        if (hasLeftOut) return false;
        messages.push(message);
      }
      return true;
    },
  };
}

function bytesOf({ payload }: LoggedMessage): number {
  return Buffer.byteLength(JSON.stringify(payload));
}
