import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Json } from "@topicast/protocol";
import type { LoggedMessage } from "../../model.ts";
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
import { logKey, logPartition, logSort, type TopicHash } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import type { Taken } from "./dynamodb-head.ts";
import { LOG_ROW_LIFE_MS } from "./dynamodb-times.ts";

/** Longer payloads are deflated: JSON of 1 KB, whatever it holds, then fits into the 1 KB of a write unit with all that stands around it. */
const DEFLATE_OVER_BYTES = 600;
/** Far above what a publish may bring. */
const MAX_INFLATED_BYTES = 4 * 1024 * 1024;

/** What says which numbers are settled. */
const MARKS = "s, q, k, v";

/** Numbers that are written, or one that is void. */
export interface LogMark {
  readonly first: number;
  readonly last: number;
  readonly isVoid: boolean;
  /** Unix ms: these and all lower numbers were taken by then. */
  readonly takenBy: number;
}

export interface LogRow extends LogMark {
  /** Unix ms. */
  readonly expiresAt: number;
  /** Bytes of its payloads as JSON, before they were deflated. */
  readonly bytes: number;
  readonly messages: readonly LoggedMessage[];
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
  readonly next?: string;
}

/** The rows of logs, found by their first number. Reads are fresh. */
export interface LogRows {
  /** False where the first of the numbers is void. Writing twice is as writing once. */
  write(topic: TopicHash, taken: Taken, batch: Batch): Promise<boolean>;
  /** Makes one number void; false where it is written. `takenBy`: Unix ms by which it was taken. */
  makeVoid(topic: TopicHash, epoch: string, seq: number, takenBy: number): Promise<boolean>;
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

    async makeVoid(topic, epoch, seq, takenBy) {
      const item = { v: { BOOL: true }, k: number(takenBy), x: ttl(takenBy + LOG_ROW_LIFE_MS) };
      return table.put(logKey(topic, epoch, seq), item, {
        condition: "attribute_not_exists(p) OR attribute_exists(v)",
      });
    },

    async marks(pageQuery) {
      const { items, next } = await query(pageQuery, MARKS);
      return { rows: items.map(markOf), ...(next !== undefined && { next }) };
    },

    async rows(pageQuery) {
      const { items, next } = await query(pageQuery);
      return { rows: items.map(rowOf), ...(next !== undefined && { next }) };
    },
  };
}

/** The messages of a batch under the numbers that it took. */
export function messagesOf({ first }: { readonly first: number }, { payloads, from, time }: Batch): LoggedMessage[] {
  return payloads.map((payload, index) => ({
    seq: first + index,
    payload,
    ...(from !== undefined && { from }),
    time,
  }));
}

function itemOf({ by }: Taken, { payloads, from, time }: Batch): Item {
  return {
    ...(payloads.length > 1 && { q: number(payloads.length) }),
    m: pack(JSON.stringify(payloads)),
    ...(from !== undefined && { f: text(from) }),
    t: number(time),
    k: number(by),
    x: ttl(by + LOG_ROW_LIFE_MS),
  };
}

function markOf(item: Item): LogMark {
  const first = Number(textOf(item, "s"));
  const last = first + (optionalNumber(item, "q") ?? 1) - 1;
  return { first, last, isVoid: item.v !== undefined, takenBy: numberOf(item, "k") };
}

function rowOf(item: Item): LogRow {
  const mark = markOf(item);
  const expiresAt = numberOf(item, "x") * 1_000;
  if (mark.isVoid) return { ...mark, expiresAt, bytes: 0, messages: [] };
  const json = unpack(item.m);
  const from = optionalText(item, "f");
  const payloads = JSON.parse(json) as readonly Json[];
  const batch = { payloads, ...(from !== undefined && { from }), time: numberOf(item, "t") };
  return { ...mark, expiresAt, bytes: Buffer.byteLength(json), messages: messagesOf(mark, batch) };
}

function pack(json: string): AttributeValue {
  return Buffer.byteLength(json) > DEFLATE_OVER_BYTES ? { B: deflateRawSync(json) } : text(json);
}

function unpack(packed: AttributeValue | undefined): string {
  if (packed?.B !== undefined) return inflateRawSync(packed.B, { maxOutputLength: MAX_INFLATED_BYTES }).toString();
  return textOf({ m: packed ?? { NULL: true } }, "m");
}
