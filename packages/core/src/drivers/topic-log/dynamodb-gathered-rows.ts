import type { ConnectionId } from "../../model.ts";
import type { Gathering, TickMessage } from "../../ports/ticks.ts";
import { type Item, number, numberOf, optionalText, text, textOf, ttl } from "../dynamodb/attributes.ts";
import { gatheredKey, gatheredPartition, logSort } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import type { TopicHash } from "../topic-hash.ts";
import type { Counted } from "./dynamodb-head.ts";
import { packPayloads, payloadsOf } from "./dynamodb-payloads.ts";

/** Far longer than anything waits for its tick. */
const ROW_LIFE_MS = 3_600_000;

/** Of one read, which DynamoDB ends at 1 MB too. Of what is ephemeral only the newest counts. */
const MAX_ROWS = 500;

export interface GatheredRow {
  readonly number: number;
  /** Unix ms. */
  readonly time: number;
  readonly messages: readonly TickMessage[];
}

/** Rows of what is gathered, found by the number that it was counted in with. */
export interface GatheredRows {
  write(topic: TopicHash, counted: Counted, gathering: Gathering): Promise<void>;
  /** Those of a range, ascending; where they are too many, the newest. Always fresh. */
  newest(topic: TopicHash, epoch: string, first: number, last: number): Promise<GatheredPage>;
}

export interface GatheredPage {
  readonly rows: readonly GatheredRow[];
  /** Whether those before the first are left out. */
  readonly isCut: boolean;
}

export function createGatheredRows(table: Table): GatheredRows {
  return {
    async write(topic, { epoch, number: at }, gathering) {
      await table.put(gatheredKey(topic, epoch, at), itemOf(gathering));
    },

    async newest(topic, epoch, first, last) {
      const { items, next } = await table.query({
        partition: gatheredPartition(topic, epoch),
        between: [logSort(first), logSort(last)],
        order: "descending",
        limit: MAX_ROWS,
        freshness: "fresh",
      });
      const isCut = next !== undefined && items.length > 0;
      return { rows: items.map(rowOf).reverse(), isCut };
    },
  };
}

function itemOf({ payloads, from, time, key, latest, tick }: Gathering): Item {
  return {
    m: packPayloads(payloads),
    ...(from !== undefined && { f: text(from) }),
    ...(key !== undefined && { i: text(key) }),
    ...(latest !== undefined && { l: text(latest) }),
    ...(tick.except !== undefined && { o: text(tick.except) }),
    t: number(time),
    x: ttl(time + ROW_LIFE_MS),
  };
}

function rowOf(item: Item): GatheredRow {
  const [from, key, latest] = [optionalText(item, "f"), optionalText(item, "i"), optionalText(item, "l")];
  const except = optionalText(item, "o") as ConnectionId | undefined;
  const time = numberOf(item, "t");
  const marks = { ...(from !== undefined && { from }), time, ...(key !== undefined && { key }) };
  const about = { ...(except !== undefined && { except }), ...(latest !== undefined && { latest }) };
  const messages = payloadsOf(item).map((payload) => ({ message: { payload, ...marks }, ...about }));
  return { number: Number(textOf(item, "s")), time, messages };
}
