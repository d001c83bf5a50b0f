import * as v from "valibot";
import { ok, type Result, refuse } from "./codes.ts";
import { parseHttpBody } from "./http-body.ts";
import type { Json } from "./json.ts";
import { MAX_HTTP_PAYLOAD_BYTES, MAX_USER_LENGTH } from "./limits.ts";
import { check, nameSchema, payloadBytes, tooLarge } from "./schema.ts";

/** What a backend sends to one connection, or to all of a user. */
export interface HttpDirect {
  readonly payload: Json;
  /** Who sends it, as the receiver sees it. */
  readonly from?: string;
}

export const directEntries = { from: v.optional(nameSchema) };
const directSchema = v.object(directEntries);

/** Parses the body of `POST /users/{user}/messages` and `POST /connections/{id}/messages`. Never throws. */
export function parseHttpDirect(body: string): Result<HttpDirect> {
  const fields = parseHttpBody(body);
  if (!fields.ok) return fields;
  const payload = Object.hasOwn(fields.value, "payload") ? fields.value.payload : undefined;
  if (payload === undefined) return refuse("bad_request", "`payload` is missing.");
  const checked = check(directSchema, fields.value);
  if (!checked.ok) return checked;
  const bytes = payloadBytes([payload]);
  if (bytes > MAX_HTTP_PAYLOAD_BYTES) return tooLarge("`payload` is", bytes, MAX_HTTP_PAYLOAD_BYTES);
  const { from } = checked.value;
  return ok({ payload, ...(from !== undefined && { from }) });
}

/** Checks who is meant by `/users/{user}/…`: what a token has as its `sub`, which may hold any character. Never throws. */
export function parseUser(name: string): Result<string> {
  // Twice as many units first: it bounds the work of counting code points.
  const isUser = name !== "" && name.length <= 2 * MAX_USER_LENGTH && [...name].length <= MAX_USER_LENGTH;
  return isUser ? ok(name) : refuse("bad_request", `A user is a name of 1 to ${MAX_USER_LENGTH} characters.`);
}
