import type { ConnectionId, LoggedMessage } from "../../model.ts";
import type { Batch } from "../../ports/topic-log.ts";
import {
  type Item,
  number,
  numberOf,
  optionalNumber,
  optionalText,
  text,
  textOf,
  ttl,
} from "../dynamodb/attributes.ts";
import { logKey, logPartition, logSort } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import type { TopicHash } from "../topic-hash.ts";
import { messagesOf } from "./content.ts";
import type { Taken } from "./dynamodb-head.ts";
import { packPayloads, payloadsOf } from "./dynamodb-payloads.ts";
import { LOG_ROW_LIFE_MS } from "./dynamodb-times.ts";

/** What says which numbers are settled. */
const MARKS = "s, q, k, v";

/** Numbers that are written or void. */
export interface LogMark {
  readonly first: number;
  readonly last: number;
  readonly isVoid: boolean;
  /** Unix ms: these and all lower numbers were taken by then. */
  readonly takenBy: number;
}

export interface LogRow extends LogMark {
  readonly epoch: string;
  /** Unix ms. */
  readonly expiresAt: number;
  /** None where it is void. */
  readonly messages: readonly LoggedMessage[];
  /** The connection that gets no copy. */
  readonly except?: ConnectionId;
}

/** Numbers from `first` to `last` in one epoch of a topic. */
export interface LogRange {
  readonly topic: TopicHash;
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
}

export interface LogPageQuery extends LogRange {
  readonly limit: number;
  /** Where the page before ended. */
  readonly after?: string;
  readonly order: "ascending" | "descending";
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Where it ended, if more may follow. */
  readonly next?: string;
  /** Read units. */
  readonly units: number;
}

/** The rows of logs, found by their first number. Reads are fresh. */
export interface LogRows {
  /** False where the first of the numbers is void. Writing twice is as writing once. */
  write(topic: TopicHash, taken: Taken, batch: Batch): Promise<boolean>;
  /**
   * Makes numbers void that one publisher took, or a single one of them; false where they are written. `takenBy`: Unix ms by which they
   * were taken. A single number is refused too where it is void together with others.
   */
  makeVoid(range: LogRange, takenBy: number): Promise<boolean>;
  /** Makes void what its publisher wrote, or didn't. */
  withdraw(range: LogRange, takenBy: number): Promise<void>;
  /** The row of the numbers from `first` on. */
  read(topic: TopicHash, epoch: string, first: number): Promise<LogRow | undefined>;
  marks(query: LogPageQuery): Promise<Page<LogMark>>;
  rows(query: LogPageQuery): Promise<Page<LogRow>>;
}

export function createLogRows(table: Table): LogRows {
  async function query(pageQuery: LogPageQuery, attributes?: string) {
    const { topic, epoch, first, last, limit, after, order } = pageQuery;
    return table.query({
      partition: logPartition(topic, epoch),
      between: [logSort(first), logSort(last)],
      ...(after !== undefined && { after }),
      order,
      limit,
      freshness: "fresh",
      ...(attributes !== undefined && { attributes }),
    });
  }

  return {
    async write(topic, taken, batch) {
      // A row that is there and not void can only be this one: an earlier attempt came through, and its answer was lost.
      return table.put(logKey(topic, taken.epoch, taken.first), itemOf(taken, batch), {
        condition: "attribute_not_exists(v)",
      });
    },

    async makeVoid({ topic, epoch, first, last }, takenBy) {
      const isSingle = first === last;
      const isMine = isSingle ? "attribute_exists(v) AND attribute_not_exists(q)" : "attribute_exists(v)";
      const condition = `attribute_not_exists(p) OR (${isMine})`;
      return table.put(logKey(topic, epoch, first), voidItem(last - first + 1, takenBy), { condition });
    },

    async withdraw({ topic, epoch, first, last }, takenBy) {
      await table.put(logKey(topic, epoch, first), voidItem(last - first + 1, takenBy));
    },

    async read(topic, epoch, first) {
      const item = await table.get(logKey(topic, epoch, first), "fresh");
      return item && rowOf(epoch, item);
    },

    async marks(pageQuery) {
      const { items, ...page } = await query(pageQuery, MARKS);
      return { ...page, rows: items.map(markOf) };
    },

    async rows(pageQuery) {
      const { items, ...page } = await query(pageQuery);
      return { ...page, rows: items.map((item) => rowOf(pageQuery.epoch, item)) };
    },
  };
}

function itemOf({ by }: Taken, { payloads, from, time, key, tick }: Batch): Item {
  return {
    ...quantity(payloads.length),
    m: packPayloads(payloads),
    ...(from !== undefined && { f: text(from) }),
    ...(key !== undefined && { i: text(key.value) }),
    ...(tick?.except !== undefined && { o: text(tick.except) }),
    t: number(time),
    k: number(by),
    x: ttl(by + LOG_ROW_LIFE_MS),
  };
}

function voidItem(count: number, takenBy: number): Item {
  return { ...quantity(count), v: { BOOL: true }, k: number(takenBy), x: ttl(takenBy + LOG_ROW_LIFE_MS) };
}

function quantity(count: number): Item {
  return count > 1 ? { q: number(count) } : {};
}

function markOf(item: Item): LogMark {
  const first = Number(textOf(item, "s"));
  const last = first + (optionalNumber(item, "q") ?? 1) - 1;
  return { first, last, isVoid: item.v !== undefined, takenBy: numberOf(item, "k") };
}

function rowOf(epoch: string, item: Item): LogRow {
  const mark = markOf(item);
  const expiresAt = numberOf(item, "x") * 1_000;
  if (mark.isVoid) return { ...mark, epoch, expiresAt, messages: [] };
  const from = optionalText(item, "f");
  const content = {
    payloads: payloadsOf(item),
    ...(from !== undefined && { from }),
    time: numberOf(item, "t"),
    key: optionalText(item, "i"),
  };
  const except = optionalText(item, "o") as ConnectionId | undefined;
  const messages = messagesOf(mark.first, content);
  return { ...mark, epoch, expiresAt, messages, ...(except !== undefined && { except }) };
}
