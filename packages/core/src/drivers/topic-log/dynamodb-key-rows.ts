import { randomBytes } from "node:crypto";
import type { Freshness } from "../../ports/connection-store.ts";
import { type IdempotencyKey, KEY_LIFE_MS } from "../../ports/topic-log.ts";
import { type Item, number, numberOf, text, textOf, ttl } from "../dynamodb/attributes.ts";
import { idempotencyKey } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import type { TopicHash } from "../topic-hash.ts";

/** The numbers that a key stands for: its batch is written under them, or may be about to be. */
export interface KeyRow {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  /** Unix ms by which they were taken. */
  readonly by: number;
  /** Unix ms. */
  readonly validUntil: number;
}

/** The rows of idempotency keys. */
export interface KeyRows {
  /** Undefined where the key isn't known, or no longer valid. A `stale` read may miss a young one, or answer its numbers from before. */
  read(topic: TopicHash, key: IdempotencyKey, freshness: Freshness): Promise<KeyRow | undefined>;
  /**
   * Lets a key stand for numbers that nobody else took, for as long as what it `replaced` is valid. False where the key doesn't stand
   * for that any more, or, where it replaced none, is known.
   */
  write(topic: TopicHash, key: IdempotencyKey, taken: Omit<KeyRow, "validUntil">, replaced?: KeyRow): Promise<boolean>;
  /** Remembers the key of something without numbers; false where it was known. */
  claim(topic: TopicHash, key: IdempotencyKey): Promise<boolean>;
}

export interface KeyRowsOptions {
  readonly table: Table;
  /** Unix ms. */
  readonly now: () => number;
}

const IS_NEW = "attribute_not_exists(p) OR v <= :now";

export function createKeyRows({ table, now }: KeyRowsOptions): KeyRows {
  return {
    async read(topic, key, freshness) {
      const item = await table.get(idempotencyKey(topic, key, "append"), freshness);
      const row = item && rowOf(item);
      return row !== undefined && row.validUntil > now() ? row : undefined;
    },

    async write(topic, key, { epoch, first, last, by }, replaced) {
      const before = replaced === undefined ? IS_NEW : "(e = :e0 AND n = :n0)";
      const validUntil = replaced?.validUntil ?? now() + KEY_LIFE_MS;
      const item: Item = {
        e: text(epoch),
        n: number(first),
        q: number(last - first + 1),
        k: number(by),
        v: number(validUntil),
        x: ttl(validUntil),
      };
      return table.put(idempotencyKey(topic, key, "append"), item, {
        // A row with these numbers is from this call: an earlier attempt came through, and its answer was lost.
        condition: `${before} OR (e = :e AND n = :n)`,
        values: {
          ":e": text(epoch),
          ":n": number(first),
          ...(replaced === undefined
            ? { ":now": number(now()) }
            : { ":e0": text(replaced.epoch), ":n0": number(replaced.first) }),
        },
      });
    },

    async claim(topic, key) {
      const mark = text(randomBytes(12).toString("base64url"));
      const validUntil = now() + KEY_LIFE_MS;
      const item: Item = { i: mark, v: number(validUntil), x: ttl(validUntil) };
      return table.put(idempotencyKey(topic, key, "claim"), item, {
        // A row with this mark is from this call too.
        condition: `${IS_NEW} OR i = :i`,
        values: { ":now": number(now()), ":i": mark },
      });
    },
  };
}

function rowOf(item: Item): KeyRow {
  const first = numberOf(item, "n");
  return {
    epoch: textOf(item, "e"),
    first,
    last: first + numberOf(item, "q") - 1,
    by: numberOf(item, "k"),
    validUntil: numberOf(item, "v"),
  };
}
