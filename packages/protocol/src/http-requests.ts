import * as v from "valibot";
import { type Fault, ok, type Result, refuse } from "./codes.ts";
import { parseHttpBody } from "./http-body.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { MAX_HTTP_PAYLOAD_BYTES } from "./limits.ts";
import {
  batchSchema,
  check,
  ephemeralOf,
  nameSchema,
  payloadBytes,
  payloadsOf,
  publishEntries,
  tooLarge,
} from "./schema.ts";
import { parseTopic, type Topic } from "./topic-name.ts";

/** What a backend publishes to one topic. */
export interface HttpPublish {
  readonly topic: Topic;
  /** 1 to 100, applied whole or not at all. */
  readonly payloads: readonly Json[];
  /** No number, no history. Absent where the publish doesn't say: the topic's rule decides. */
  readonly ephemeral?: boolean;
  /** Of a tick's ephemeral messages of one name and sender only the newest is delivered. */
  readonly latest?: string;
  readonly from?: string;
  /** Whoever repeats the publish with it gets the first answer. */
  readonly key?: string;
}

/** A message of `POST /messages`: what to publish, or what is wrong with it and the topic that it named. */
export type HttpPublishOfMany =
  | { readonly ok: true; readonly value: HttpPublish }
  | { readonly ok: false; readonly fault: Fault; readonly topic?: string };

export const httpPublishEntries = { ...publishEntries, from: v.optional(nameSchema) };
const publishSchema = v.object(httpPublishEntries);
export const idempotencyKeySchema = nameSchema;
const headerSchema = v.object({ "Idempotency-Key": idempotencyKeySchema });
const publishManySchema = v.object({ messages: batchSchema });

/** Parses the body of `POST /topics/{topic…}/messages`, and the header `Idempotency-Key` where there is one. Never throws. */
export function parseHttpPublish(topic: string, body: string, idempotencyKey?: string): Result<HttpPublish> {
  const fields = parseHttpBody(body);
  if (!fields.ok) return fields;
  const publish = parsePublish(topic, fields.value);
  return publish.ok && idempotencyKey !== undefined ? addKey(publish.value, idempotencyKey) : publish;
}

/** Parses the header `Idempotency-Key` where it is there. Never throws. */
export function parseIdempotencyKey(header: string | undefined): Result<string | undefined> {
  if (header === undefined) return ok(undefined);
  const checked = check(headerSchema, { "Idempotency-Key": header });
  return checked.ok ? ok(header) : checked;
}

function addKey(publish: HttpPublish, idempotencyKey: string): Result<HttpPublish> {
  const checked = parseIdempotencyKey(idempotencyKey);
  if (!checked.ok) return checked;
  return publish.key === undefined || publish.key === idempotencyKey
    ? ok({ ...publish, key: idempotencyKey })
    : refuse("bad_request", "`key` and the header `Idempotency-Key` differ; give one of them.");
}

/**
 * Parses the body of `POST /messages`: a result for each message, in order, since each may fail by itself. All their payloads together
 * are under the limit of one publish. Never throws.
 */
export function parseHttpPublishMany(body: string): Result<readonly HttpPublishOfMany[]> {
  const fields = parseHttpBody(body);
  if (!fields.ok) return fields;
  if (!Object.hasOwn(fields.value, "messages")) return refuse("bad_request", "`messages` is missing.");
  const checked = check(publishManySchema, fields.value);
  if (!checked.ok) return checked;
  const parsed = checked.value.messages.map(parseOneOfMany);
  const bytes = parsed.reduce((sum, one) => sum + (one.ok ? payloadBytes(one.value.payloads) : 0), 0);
  return bytes > MAX_HTTP_PAYLOAD_BYTES
    ? tooLarge("All payloads together are", bytes, MAX_HTTP_PAYLOAD_BYTES)
    : ok(parsed);
}

function parseOneOfMany(message: Json): HttpPublishOfMany {
  if (!isJsonObject(message)) return refuse("bad_request", "A message is an object with `topic` and `payload`.");
  const { topic } = message;
  const parsed = parsePublish(topic, message);
  return parsed.ok || typeof topic !== "string" ? parsed : { ...parsed, topic };
}

function parsePublish(topic: unknown, fields: JsonObject): Result<HttpPublish> {
  const name = parseTopic(topic);
  if (!name.ok) return name;
  const checked = check(publishSchema, fields);
  if (!checked.ok) return checked;
  const { payloads, latest, from, key } = checked.value;
  const ephemeral = ephemeralOf(checked.value.ephemeral, latest);
  if (!ephemeral.ok) return ephemeral;
  const list = payloadsOf(fields, payloads, MAX_HTTP_PAYLOAD_BYTES);
  if (!list.ok) return list;
  return ok({
    topic: name.value,
    payloads: list.value,
    ...ephemeral.value,
    ...(latest !== undefined && { latest }),
    ...(from !== undefined && { from }),
    ...(key !== undefined && { key }),
  });
}
