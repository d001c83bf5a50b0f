import * as v from "valibot";
import { type Fault, ok, type Result, refuse } from "./codes.ts";
import { isJsonObject, type Json, type JsonObject, parseJson, utf8Length } from "./json.ts";
import { MAX_HTTP_BODY_BYTES, MAX_HTTP_PAYLOAD_BYTES } from "./limits.ts";
import {
  batchSchema,
  check,
  nameSchema,
  payloadBytes,
  payloadsOf,
  publishEntries,
  refuseUnserved,
  tooLarge,
} from "./schema.ts";
import { parseTopic, type Topic } from "./topic-name.ts";

/** What a backend publishes to one topic. */
export interface HttpPublish {
  readonly topic: Topic;
  /** 1 to 100, applied whole or not at all. */
  readonly payloads: readonly Json[];
  readonly ephemeral: boolean;
  readonly from?: string;
}

/** A message of `POST /messages`: what to publish, or what is wrong with it and the topic that it named. */
export type HttpPublishOfMany =
  | { readonly ok: true; readonly value: HttpPublish }
  | { readonly ok: false; readonly fault: Fault; readonly topic?: string };

const publishSchema = v.object({ ...publishEntries, from: v.optional(nameSchema) });
const publishManySchema = v.object({ messages: batchSchema });

/** Parses the body of `POST /topics/{topic…}/messages`. Never throws. */
export function parseHttpPublish(topic: string, body: string): Result<HttpPublish> {
  const fields = parseBody(body);
  return fields.ok ? parsePublish(topic, fields.value) : fields;
}

/**
 * Parses the body of `POST /messages`: a result for each message, in order, since each may fail by itself. All their payloads together
 * are under the limit of one publish. Never throws.
 */
export function parseHttpPublishMany(body: string): Result<readonly HttpPublishOfMany[]> {
  const fields = parseBody(body);
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

function parseBody(body: string): Result<JsonObject> {
  const bytes = utf8Length(body);
  if (bytes > MAX_HTTP_BODY_BYTES) return tooLarge("This body is", bytes, MAX_HTTP_BODY_BYTES);
  const parsed = parseJson(body);
  if (!parsed.ok) return parsed;
  return isJsonObject(parsed.value) ? ok(parsed.value) : refuse("bad_request", "The body must be a JSON object.");
}

function parsePublish(topic: unknown, fields: JsonObject): Result<HttpPublish> {
  const name = parseTopic(topic);
  if (!name.ok) return name;
  const checked = check(publishSchema, fields);
  if (!checked.ok) return checked;
  const served = refuseUnserved(fields, ["key"]);
  if (!served.ok) return served;
  const { payloads, ephemeral = false, latest, from } = checked.value;
  const list = payloadsOf(fields, payloads, MAX_HTTP_PAYLOAD_BYTES);
  if (!list.ok) return list;
  return ok({
    topic: name.value,
    payloads: list.value,
    ephemeral: ephemeral || latest !== undefined,
    ...(from !== undefined && { from }),
  });
}
