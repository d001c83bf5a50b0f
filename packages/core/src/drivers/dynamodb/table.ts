import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { Freshness } from "../../ports/connection-store.ts";
import { type Item, text } from "./attributes.ts";
import { callDynamoDb, isRefusal } from "./client.ts";
import type { Key } from "./keys.ts";

/** The most that one BatchWriteItem, and one BatchGetItem, takes. */
const MAX_BATCH_WRITES = 25;
const MAX_BATCH_READS = 100;

/** Waits before what a batch left undone is tried again. */
const BATCH_BACKOFFS_MS = [50, 200, 800];

/** An expression in DynamoDB's language, with what its `:values` and `#names` stand for. */
export interface Expression {
  readonly values?: Item;
  readonly names?: Record<string, string>;
}

export interface Condition extends Expression {
  readonly condition: string;
}

export interface Update extends Expression {
  readonly update: string;
  readonly condition?: string;
}

export interface RowQuery {
  readonly partition: string;
  /** Inclusive bounds of the sort key. */
  readonly between?: readonly [string, string];
  /** The page begins behind this sort key. */
  readonly after?: string;
  readonly order?: "ascending" | "descending";
  readonly limit: number;
  readonly freshness: Freshness;
  /** Attributes to transfer, all where absent. DynamoDB bills whole rows either way. */
  readonly attributes?: string;
}

export interface RowPage {
  readonly items: readonly Item[];
  /** The sort key behind which more may follow; absent at the end. */
  readonly next?: string;
  /** Capacity units that reading it took. */
  readonly units: number;
}

/** The one table, in the few ways in which the drivers use it. Every method may throw `UnavailableError`. */
export interface Table {
  get(key: Key, freshness: Freshness): Promise<Item | undefined>;
  /** Always fresh, in no promised order; rows that aren't there are left out. No key may come twice. */
  getMany(keys: readonly Key[]): Promise<readonly Item[]>;
  /** False where the condition doesn't hold. */
  put(key: Key, attributes: Item, condition?: Condition): Promise<boolean>;
  /** The row as it is after, or undefined where the condition doesn't hold. */
  update(key: Key, update: Update): Promise<Item | undefined>;
  /** The row as it was; undefined where there was none, or the condition doesn't hold. */
  delete(key: Key, condition?: Condition): Promise<Item | undefined>;
  deleteMany(keys: readonly Key[]): Promise<void>;
  /** At most 1 MB, as DynamoDB cuts its pages. */
  query(query: RowQuery): Promise<RowPage>;
}

export interface TableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
}

export function createTable({ client, tableName, clock }: TableOptions): Table {
  const TableName = tableName;

  /** Sends a batch, and again what DynamoDB left of it. */
  async function sendAll<T>(batch: readonly T[], send: (left: T[]) => Promise<T[] | undefined>): Promise<void> {
    let left = [...batch];
    for (const backoffMs of [...BATCH_BACKOFFS_MS, undefined]) {
      left = (await send(left)) ?? [];
      if (left.length === 0) return;
      if (backoffMs !== undefined) await clock.sleep(backoffMs);
    }
    throw new UnavailableError("store", `DynamoDB left ${left.length} rows of a batch undone. Try again.`);
  }

  async function deleteSome(requests: WriteRequest[]): Promise<WriteRequest[] | undefined> {
    const command = new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } });
    return (await callDynamoDb((options) => client.send(command, options))).UnprocessedItems?.[tableName];
  }

  return {
    async getMany(keys) {
      const found: Item[] = [];
      for (const batch of batchesOf(keys.map(keyItem), MAX_BATCH_READS)) {
        await sendAll(batch, async (Keys) => {
          const command = new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ConsistentRead: true } } });
          const output = await callDynamoDb((options) => client.send(command, options));
          found.push(...(output.Responses?.[tableName] ?? []));
          return output.UnprocessedKeys?.[tableName]?.Keys;
        });
      }
      return found;
    },

    async get(key, freshness) {
      const input = { TableName, Key: keyItem(key), ConsistentRead: freshness === "fresh" };
      const { Item } = await callDynamoDb((options) => client.send(new GetItemCommand(input), options));
      return Item;
    },

    async put(key, attributes, condition) {
      const input = { TableName, Item: { ...keyItem(key), ...attributes }, ...expressionInput(condition) };
      const output = await unlessRefused((options) => client.send(new PutItemCommand(input), options));
      return output !== undefined;
    },

    async update(key, update) {
      const { update: UpdateExpression } = update;
      const expressions = { UpdateExpression, ...expressionInput(update) };
      const input = { TableName, Key: keyItem(key), ...expressions, ReturnValues: "ALL_NEW" } as const;
      return (await unlessRefused((options) => client.send(new UpdateItemCommand(input), options)))?.Attributes;
    },

    async delete(key, condition) {
      const input = { TableName, Key: keyItem(key), ...expressionInput(condition), ReturnValues: "ALL_OLD" } as const;
      return (await unlessRefused((options) => client.send(new DeleteItemCommand(input), options)))?.Attributes;
    },

    async deleteMany(keys) {
      const requests = keys.map((key): WriteRequest => ({ DeleteRequest: { Key: keyItem(key) } }));
      for (const batch of batchesOf(requests, MAX_BATCH_WRITES)) await sendAll(batch, deleteSome);
    },

    async query(query) {
      const command = new QueryCommand({ TableName, ...queryInput(query) });
      const output = await callDynamoDb((options) => client.send(command, options));
      const next = output.LastEvaluatedKey?.s?.S;
      const units = output.ConsumedCapacity?.CapacityUnits ?? 0;
      return { items: output.Items ?? [], ...(next !== undefined && { next }), units };
    },
  };
}

function queryInput({ partition, between, after, order, limit, freshness, attributes }: RowQuery) {
  return {
    KeyConditionExpression: between === undefined ? "p = :p" : "p = :p AND s BETWEEN :low AND :high",
    ExpressionAttributeValues: {
      ":p": text(partition),
      ...(between !== undefined && { ":low": text(between[0]), ":high": text(between[1]) }),
    },
    ...(after !== undefined && { ExclusiveStartKey: keyItem({ p: partition, s: after }) }),
    ScanIndexForward: order !== "descending",
    Limit: limit,
    ConsistentRead: freshness === "fresh",
    ProjectionExpression: attributes,
    ReturnConsumedCapacity: "TOTAL" as const,
  };
}

function batchesOf<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size));
}

function keyItem({ p, s }: Key): Item {
  return { p: text(p), s: text(s) };
}

function expressionInput(condition: Condition | Update | undefined) {
  return {
    ConditionExpression: condition?.condition,
    ExpressionAttributeValues: condition?.values,
    ExpressionAttributeNames: condition?.names,
  };
}

async function unlessRefused<Output>(send: Parameters<typeof callDynamoDb<Output>>[0]): Promise<Output | undefined> {
  try {
    return await callDynamoDb(send);
  } catch (error) {
    // A condition that doesn't hold is an answer.
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
