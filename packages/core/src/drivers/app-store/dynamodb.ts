import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../clock.ts";
import type { Application, ApplicationChanges, AppStore } from "../../ports/app-store.ts";
import { type Item, number, text, ttl } from "../dynamodb/attributes.ts";
import { APPLICATIONS_PARTITION, applicationKey } from "../dynamodb/keys.ts";
import { createTable, type Update } from "../dynamodb/table.ts";
import { applicationOf, isAlive, itemOf, keyValue } from "./dynamodb-rows.ts";

export interface DynamoDbAppStoreOptions {
  readonly client: DynamoDBClient;
  /** A table of applications alone. */
  readonly tableName: string;
  readonly clock: Clock;
}

/** Applications in DynamoDB; `dynamodb/keys.ts` has the row. Each write is one conditional update, so that those at the same time lose nothing. */
export function createDynamoDbAppStore({ client, tableName, clock }: DynamoDbAppStoreOptions): AppStore {
  const table = createTable({ client, tableName, clock });
  const now = () => ({ ":now": number(clock.now()) });

  async function get(name: string): Promise<Application | undefined> {
    const item = await table.get(applicationKey(name), "fresh");
    return item && isAlive(item, clock.now()) ? applicationOf(item) : undefined;
  }

  /** The row as it is after; undefined where there is no application, or the further condition doesn't hold. */
  function update(name: string, { update, condition, values, names }: Update): Promise<Item | undefined> {
    return table.update(applicationKey(name), {
      update,
      condition: condition === undefined ? ALIVE : `${ALIVE} AND (${condition})`,
      values: { ...values, ...now() },
      ...(names !== undefined && { names }),
    });
  }

  return {
    get,

    create(application) {
      return table.put(applicationKey(application.name), itemOf(application), {
        // The SDK may repeat what was done and whose answer was lost.
        condition: "attribute_not_exists(p) OR e <= :now OR i = :id",
        values: { ...now(), ":id": text(application.id) },
      });
    },

    async list({ cursor, limit }) {
      const page = await table.query({
        partition: APPLICATIONS_PARTITION,
        ...(cursor !== undefined && { after: cursor }),
        limit,
        freshness: "fresh",
      });
      const applications = page.items.filter((item) => isAlive(item, clock.now())).map(applicationOf);
      return { applications, ...(page.next !== undefined && { cursor: page.next }) };
    },

    async change(name, changes) {
      const change = updateOf(changes);
      if (change === undefined) return get(name);
      const item = await update(name, change);
      return item && applicationOf(item);
    },

    async addKey(name, key, maxKeys) {
      const item = await update(name, {
        update: "SET k.#key = :key",
        condition: "attribute_exists(k.#key) OR size(k) < :max",
        names: { "#key": key.id },
        values: { ":key": keyValue(key), ":max": number(maxKeys) },
      });
      if (item !== undefined) return "added";
      return (await get(name)) === undefined ? "unknown_application" : "too_many_keys";
    },

    async removeKey(name, keyId) {
      const item = await update(name, {
        update: "REMOVE k.#key",
        condition: "attribute_exists(k.#key)",
        names: { "#key": keyId },
      });
      return item !== undefined;
    },

    async remove(name) {
      return (await table.delete(applicationKey(name), { condition: ALIVE, values: now() })) !== undefined;
    },
  };
}

const ALIVE = "attribute_exists(p) AND (attribute_not_exists(e) OR e > :now)";

/** Undefined where nothing changes. */
function updateOf({ topicRules, maxConnections, expiresAt }: ApplicationChanges): Update | undefined {
  const changes: Readonly<Record<string, Item[string] | null | undefined>> = {
    r: topicRules === undefined ? undefined : text(topicRules),
    m: typeof maxConnections === "number" ? number(maxConnections) : maxConnections,
    e: typeof expiresAt === "number" ? number(expiresAt) : expiresAt,
    x: typeof expiresAt === "number" ? ttl(expiresAt) : expiresAt,
  };
  const names = Object.keys(changes).filter((name) => changes[name] !== undefined);
  const values = names.flatMap((name) => (changes[name] == null ? [] : [[`:${name}`, changes[name]] as const]));
  const removes = names.filter((name) => changes[name] === null);
  const clauses = [
    ...(values.length > 0 ? [`SET ${values.map(([value]) => `${value.slice(1)} = ${value}`).join(", ")}`] : []),
    ...(removes.length > 0 ? [`REMOVE ${removes.join(", ")}`] : []),
  ];
  return clauses.length === 0 ? undefined : { update: clauses.join(" "), values: Object.fromEntries(values) };
}
