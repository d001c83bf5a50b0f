import * as v from "valibot";
import { ok, type Result, refuse } from "./codes.ts";
import { type Json, type JsonObject, utf8Length } from "./json.ts";
import { MAX_BATCH, MAX_NAME_LENGTH } from "./limits.ts";

const NAME_RULE = `must be a string of 1 to ${MAX_NAME_LENGTH} characters.`;
const BATCH_RULE = `must be a list of 1 to ${MAX_BATCH}.`;

/** A short name that a client makes up: a request's `id`, an idempotency key, the name of a `latest`. */
export const nameSchema = v.pipe(
  v.string(NAME_RULE),
  v.minLength(1, NAME_RULE),
  // Twice as many units first: it bounds the work of counting code points.
  v.maxLength(2 * MAX_NAME_LENGTH, NAME_RULE),
  v.check((name) => [...name].length <= MAX_NAME_LENGTH, NAME_RULE),
  // What JSON Schema says, which counts code points.
  v.metadata({ maxLength: MAX_NAME_LENGTH }),
);
/** What was parsed from JSON is JSON. */
export const anyJsonSchema: v.GenericSchema<Json> = v.any();
export const flagSchema = v.boolean("must be true or false.");
export const batchSchema = v.pipe(
  v.array(anyJsonSchema, BATCH_RULE),
  v.minLength(1, BATCH_RULE),
  v.maxLength(MAX_BATCH, BATCH_RULE),
);

/** Which fields a publish has beside its topic, over WebSocket and HTTP alike. */
export const publishEntries = {
  payloads: v.optional(batchSchema),
  ephemeral: v.optional(flagSchema),
  latest: v.optional(nameSchema),
  key: v.optional(nameSchema),
};

/** Whole numbers, which the message says as well. */
export function wholeNumberSchema(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}.`;
  return v.pipe(v.number(rule), v.safeInteger(rule), v.minValue(min, rule), v.maxValue(max, rule));
}

/** Of a query: digits as their number; anything else as it is, for the schema to refuse. */
export function numberOf(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : text;
}

/** Checks fields against a schema whose messages read on from the field's name: "must be …". */
export function check<S extends v.GenericSchema>(schema: S, value: unknown): Result<v.InferOutput<S>> {
  const checked = v.safeParse(schema, value, { abortEarly: true });
  if (checked.success) return ok(checked.output);
  const [issue] = checked.issues;
  return refuse("bad_request", `\`${v.getDotPath(issue) ?? "body"}\` ${issue.message}`);
}

/**
 * The payloads of a publish: `payload` alone or all of `payloads` (checked by {@link publishEntries} before).
 * They are measured as they will be sent on, because `1e20` grows when it is written out.
 */
export function payloadsOf(
  fields: JsonObject,
  payloads: readonly Json[] | undefined,
  maxBytes: number,
): Result<readonly Json[]> {
  const single = Object.hasOwn(fields, "payload") ? fields.payload : undefined;
  if (single === undefined && payloads === undefined) return refuse("bad_request", "`payload` is missing.");
  if (single !== undefined && payloads !== undefined) {
    return refuse("bad_request", "`payload` and `payloads` exclude each other; give one of them.");
  }
  const all = payloads ?? [single as Json];
  const bytes = payloadBytes(all);
  return bytes > maxBytes
    ? tooLarge(payloads === undefined ? "`payload` is" : "`payloads` are", bytes, maxBytes)
    : ok(all);
}

/** Whether a publish is ephemeral, where it says so: `latest` implies it. */
export function ephemeralOf(
  ephemeral: boolean | undefined,
  latest: string | undefined,
): Result<{ readonly ephemeral?: boolean }> {
  if (latest === undefined) return ok(ephemeral === undefined ? {} : { ephemeral });
  return ephemeral === false
    ? refuse("bad_request", "`latest` implies `ephemeral`; leave `ephemeral: false` out.")
    : ok({ ephemeral: true });
}

/** UTF-8 bytes of payloads together, each written out as JSON. */
export function payloadBytes(payloads: readonly Json[]): number {
  return payloads.reduce<number>((sum, payload) => sum + utf8Length(JSON.stringify(payload)), 0);
}

export function tooLarge(what: string, bytes: number, maxBytes: number) {
  return refuse("payload_too_large", `${what} ${bytes} bytes long; at most ${maxBytes} are allowed.`, maxBytes);
}

/** Refuses fields that the protocol has and this version doesn't serve, because ignoring them would break a promise. */
export function refuseUnserved(fields: JsonObject, names: readonly string[]): Result<undefined> {
  const found = names.find((name) => Object.hasOwn(fields, name));
  return found === undefined ? ok(undefined) : refuse("bad_request", `\`${found}\` is not served yet; leave it out.`);
}
