import type { ConnectionId, Target } from "../../model.ts";
import { EXPIRED_KEPT_MS, type Freshness } from "../../ports/connection-store.ts";
import { type Item, number, numberOf, optionalText, text, textOf, ttl } from "../dynamodb/attributes.ts";
import type { Table } from "../dynamodb/table.ts";

/** A connection, and until when its row says something, in Unix ms. */
interface ValidTarget extends Target {
  readonly validUntil: number;
}

/** What every row has that is about a connection. `ownAddress`: left out of rows; absent in a row means this one. */
export function targetItem(
  { address, connectedAt, validUntil }: Omit<ValidTarget, "id">,
  ownAddress: string | undefined,
): Item {
  return {
    ...(address !== ownAddress && { a: text(address) }),
    c: number(connectedAt),
    v: number(validUntil),
    x: ttl(validUntil + EXPIRED_KEPT_MS),
  };
}

export function targetOf(id: ConnectionId, item: Item, ownAddress: string | undefined): ValidTarget {
  return {
    id,
    address: optionalText(item, "a") ?? ownAddress ?? textOf(item, "a"),
    connectedAt: numberOf(item, "c"),
    validUntil: numberOf(item, "v"),
  };
}

interface TargetQuery {
  readonly partition: string;
  /** Inclusive bounds of the sort key. */
  readonly between?: readonly [string, string];
  readonly cursor?: string;
  readonly limit: number;
  readonly freshness: Freshness;
}

/** One page of a partition of such rows. */
export async function readTargetItems(
  table: Table,
  { partition, between, cursor, limit, freshness }: TargetQuery,
): Promise<{ readonly items: readonly Item[]; readonly cursor?: string }> {
  const { items, next } = await table.query({
    partition,
    ...(between !== undefined && { between }),
    ...(cursor !== undefined && { after: cursor }),
    // One more than asked for: DynamoDB says that more may follow also where a page just fits.
    limit: limit + 1,
    freshness,
  });
  const page = items.slice(0, limit);
  const last = items.length > limit ? page.at(-1)?.s?.S : next;
  return { items: page, ...(last !== undefined && { cursor: last }) };
}
