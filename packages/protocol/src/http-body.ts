import { ok, type Result, refuse } from "./codes.ts";
import { isJsonObject, type JsonObject, parseJson, utf8Length } from "./json.ts";
import { MAX_HTTP_BODY_BYTES } from "./limits.ts";
import { tooLarge } from "./schema.ts";

/** Parses the body of an HTTP request, a JSON object, once its size is known to be allowed. Never throws. */
export function parseHttpBody(body: string): Result<JsonObject> {
  const bytes = utf8Length(body);
  if (bytes > MAX_HTTP_BODY_BYTES) return tooLarge("This body is", bytes, MAX_HTTP_BODY_BYTES);
  const parsed = parseJson(body);
  if (!parsed.ok) return parsed;
  return isJsonObject(parsed.value) ? ok(parsed.value) : refuse("bad_request", "The body must be a JSON object.");
}
