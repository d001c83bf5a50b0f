import type { LoggedMessage } from "../../model.ts";
import type { LogRange, LogRow, LogRows, Page } from "./dynamodb-rows.ts";

/** Rows of one read; DynamoDB ends it at 1 MB. */
const MAX_PAGE_ROWS = 256;
/** Payloads after which a page ends: a frame to a client holds no more. */
const MAX_PAGE_BYTES = 128 * 1024;

export interface HistoryPage {
  readonly messages: readonly LoggedMessage[];
  /** Whether messages follow in the range. */
  readonly more: boolean;
}

export interface HistoryOptions {
  readonly rows: LogRows;
  /** Unix ms. */
  readonly now: () => number;
  /** Age from which history keeps nothing. */
  readonly maxAgeMs: number;
}

/** The messages of a range, at most `limit`; undefined where one of them is no longer there, or that can't be told. */
export type ReadHistory = (range: LogRange, limit: number) => Promise<HistoryPage | undefined>;

export function createReadHistory({ rows, now, maxAgeMs }: HistoryOptions): ReadHistory {
  /** The first rows of a range, where they prove that nothing is missing between them. */
  async function begin(range: LogRange, limit: number): Promise<Page<LogRow> | undefined> {
    const page = await rows.rows({ ...range, limit, order: "ascending" });
    const isThere = page.rows[0]?.first === range.first;
    // Its first number may be in a row that begins lower, or void.
    const all = isThere ? page.rows : [...(await lastRowBelow(range)), ...page.rows];
    // A row is there until its TTL, and higher numbers have later ones. So behind a valid row, what isn't there was never written.
    const isProof = all[0] !== undefined && all[0].first <= range.first && all[0].expiresAt > now();
    return isProof ? { ...page, rows: all } : undefined;
  }

  async function lastRowBelow({ first, ...range }: LogRange): Promise<readonly LogRow[]> {
    return (await rows.rows({ ...range, first: 0, last: first - 1, limit: 1, order: "descending" })).rows;
  }

  function isOutdated({ takenBy }: LogRow): boolean {
    return takenBy <= now() - maxAgeMs;
  }

  return async (range, limit) => {
    const pageRows = Math.min(limit + 1, MAX_PAGE_ROWS);
    const messages: LoggedMessage[] = [];
    let bytes = 0;
    let page = await begin(range, pageRows);
    while (page !== undefined) {
      for (const row of page.rows) {
        const found = row.messages.filter(({ seq }) => seq >= range.first);
        if (found.length === 0) continue;
        if (messages.length === 0 && isOutdated(row)) return undefined;
        if (messages.length >= limit || bytes > MAX_PAGE_BYTES)
          return { messages: messages.slice(0, limit), more: true };
        messages.push(...found);
        bytes += row.bytes;
      }
      if (page.next === undefined) return { messages: messages.slice(0, limit), more: messages.length > limit };
      page = await rows.rows({ ...range, after: page.next, limit: pageRows, order: "ascending" });
    }
    return undefined;
  };
}
