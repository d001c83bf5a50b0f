import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Grant } from "../../access.ts";
import type { AppId } from "../../model.ts";
import type { Application, ApplicationKey } from "../../ports/app-store.ts";
import { type Item, number, numberOf, optionalNumber, text, textOf, ttl } from "../dynamodb/attributes.ts";
import { byAge } from "./key-order.ts";

/** TTL deletes up to two days late. */
export function isAlive(item: Item, now: number): boolean {
  return (optionalNumber(item, "e") ?? Infinity) > now;
}

/** Without its key. */
export function itemOf({ id, topicRules, maxConnections, createdAt, expiresAt, keys }: Application): Item {
  return {
    i: text(id),
    r: text(topicRules),
    c: number(createdAt),
    k: { M: Object.fromEntries(keys.map((key) => [key.id, keyValue(key)])) },
    ...(maxConnections !== undefined && { m: number(maxConnections) }),
    ...(expiresAt !== undefined && { e: number(expiresAt), x: ttl(expiresAt) }),
  };
}

export function applicationOf(item: Item): Application {
  const maxConnections = optionalNumber(item, "m");
  const expiresAt = optionalNumber(item, "e");
  const keys = Object.entries(item.k?.M ?? {}).map(([id, value]) => keyOf(id, value.M ?? {}));
  return {
    name: textOf(item, "s"),
    id: textOf(item, "i") as AppId,
    topicRules: textOf(item, "r"),
    createdAt: numberOf(item, "c"),
    // A map has no order.
    keys: keys.sort(byAge),
    ...(maxConnections !== undefined && { maxConnections }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

export function keyValue({ secretHash, sealedSigningKey, grants, createdAt, expiresAt }: ApplicationKey) {
  const M: Item = {
    h: text(secretHash),
    t: text(sealedSigningKey),
    g: text(JSON.stringify(grants)),
    c: number(createdAt),
    ...(expiresAt !== undefined && { e: number(expiresAt) }),
  };
  return { M } satisfies AttributeValue;
}

function keyOf(id: string, item: Item): ApplicationKey {
  const expiresAt = optionalNumber(item, "e");
  return {
    id,
    secretHash: textOf(item, "h"),
    sealedSigningKey: textOf(item, "t"),
    // As this code wrote it.
    grants: JSON.parse(textOf(item, "g")) as readonly Grant[],
    createdAt: numberOf(item, "c"),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
