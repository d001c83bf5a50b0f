import { isUnavailable } from "../../errors.ts";
import { type AppId, CONNECTION_VALID_MS, type Connection } from "../../model.ts";
import { type Item, number, numberOf, ttl } from "../dynamodb/attributes.ts";
import { countKey } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";

/** Connections made in one such time are counted together. */
const BUCKET_MS = 10 * 60_000;
/** More than there can be of connections that are alive. With so many the row is still far below 1 KB. */
const MAX_BUCKETS = 20;

/** How many connections an application has, of those that were counted: one row an application, one write each way. */
export interface ConnectionCounts {
  /** Counts one more, unless there are `max`; whether it did. */
  take(connection: Connection, max: number): Promise<boolean>;
  /** One less; nothing where it is no longer counted. */
  giveBack(connection: Connection): Promise<void>;
}

export interface ConnectionCountsOptions {
  readonly table: Table;
  /** Unix ms. */
  readonly now: () => number;
}

export function createConnectionCounts({ table, now }: ConnectionCountsOptions): ConnectionCounts {
  function add({ app, connectedAt }: Connection, max: number): Promise<Item | undefined> {
    return table.update(countKey(app), {
      update: `SET x = :x ADD n :one, ${bucketOf(connectedAt)} :one`,
      condition: "attribute_not_exists(n) OR n < :max",
      values: { ":one": number(1), ":max": number(max), ":x": ttl(now() + CONNECTION_VALID_MS + BUCKET_MS) },
    });
  }

  /** Takes away those whose disconnect never came and that can't be alive; whether there were any. */
  async function dropDead(app: AppId, row: Item): Promise<boolean> {
    const dead = bucketsOf(row).filter((bucket) => endOf(bucket) + CONNECTION_VALID_MS <= now());
    if (dead.length === 0) return false;
    const count = dead.reduce((sum, bucket) => sum + numberOf(row, bucket), 0);
    // Where that is refused, somebody else did it just now.
    await table.update(countKey(app), {
      update: `REMOVE ${dead.join(", ")} ADD n :less`,
      condition: dead.map((bucket) => `${bucket} = :${bucket}`).join(" AND "),
      values: {
        ":less": number(-count),
        ...Object.fromEntries(dead.map((bucket) => [`:${bucket}`, number(numberOf(row, bucket))])),
      },
    });
    return true;
  }

  async function tidy(app: AppId, row: Item): Promise<void> {
    try {
      if (bucketsOf(row).length > MAX_BUCKETS) await dropDead(app, row);
    } catch (error) {
      // The next connection does it.
      if (!isUnavailable(error)) throw error;
    }
  }

  return {
    async take(connection, max) {
      if (max <= 0) return false;
      const { app } = connection;
      const row = await add(connection, max);
      if (row !== undefined) {
        await tidy(app, row);
        return true;
      }
      const full = await table.get(countKey(app), "fresh");
      if (full !== undefined && !(await dropDead(app, full))) return false;
      return (await add(connection, max)) !== undefined;
    },

    async giveBack({ app, connectedAt }) {
      const bucket = bucketOf(connectedAt);
      await table.update(countKey(app), {
        update: `ADD n :less, ${bucket} :less`,
        condition: `${bucket} > :none`,
        values: { ":less": number(-1), ":none": number(0) },
      });
    },
  };
}

function bucketOf(connectedAt: number): string {
  return `b${Math.floor(connectedAt / BUCKET_MS)}`;
}

function bucketsOf(row: Item): readonly string[] {
  return Object.keys(row).filter((name) => /^b\d+$/.test(name));
}

/** Unix ms. */
function endOf(bucket: string): number {
  return (Number(bucket.slice(1)) + 1) * BUCKET_MS;
}
