import type { Grant } from "../../access.ts";
import type { AppId } from "../../model.ts";
import type { Application, ApplicationChanges, ApplicationKey } from "../../ports/app-store.ts";
import { byAge } from "./key-order.ts";

/** The fields of an application's hash, as `redis/keys.ts` has them. */
export type Fields = Readonly<Record<string, string>>;

const KEY_FIELD = "k/";

export function fieldsOf({ id, topicRules, maxConnections, createdAt, expiresAt, keys }: Application): Fields {
  return {
    i: id,
    r: topicRules,
    c: String(createdAt),
    ...(maxConnections !== undefined && { m: String(maxConnections) }),
    ...(expiresAt !== undefined && { e: String(expiresAt) }),
    ...Object.fromEntries(keys.map((key) => [keyField(key.id), keyText(key)])),
  };
}

/** What changes, and nothing for what goes. */
export function changedFields({ topicRules, maxConnections, expiresAt }: ApplicationChanges): Fields {
  return {
    ...(topicRules !== undefined && { r: topicRules }),
    ...(maxConnections !== undefined && { m: maxConnections === null ? "" : String(maxConnections) }),
    ...(expiresAt !== undefined && { e: expiresAt === null ? "" : String(expiresAt) }),
  };
}

/** Undefined where there is none, or none any more: Redis deletes late. */
export function applicationOf(name: string, fields: Fields, now: number): Application | undefined {
  const { i: id, r: topicRules, c: createdAt, m: maxConnections, e: expiresAt } = fields;
  if (id === undefined || topicRules === undefined || Number(expiresAt ?? Infinity) <= now) return undefined;
  const keys = Object.entries(fields).filter(([field]) => field.startsWith(KEY_FIELD));
  return {
    name,
    id: id as AppId,
    topicRules,
    createdAt: Number(createdAt),
    // A hash has no order.
    keys: keys.map(([field, text]) => keyOf(field, text)).sort(byAge),
    ...(maxConnections !== undefined && { maxConnections: Number(maxConnections) }),
    ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }),
  };
}

export function keyField(id: string): string {
  return `${KEY_FIELD}${id}`;
}

export function keyText({ secretHash: h, sealedSigningKey: t, grants: g, createdAt: c, expiresAt: e }: ApplicationKey) {
  return JSON.stringify({ h, t, g, c, e });
}

function keyOf(field: string, text: string): ApplicationKey {
  // As this code wrote it.
  const { h, t, g, c, e } = JSON.parse(text) as KeyText;
  const id = field.slice(KEY_FIELD.length);
  return { id, secretHash: h, sealedSigningKey: t, grants: g, createdAt: c, ...(e !== undefined && { expiresAt: e }) };
}

interface KeyText {
  readonly h: string;
  readonly t: string;
  readonly g: readonly Grant[];
  readonly c: number;
  readonly e?: number;
}
