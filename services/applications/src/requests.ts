import type { ApplicationChanges, ApplicationInput, KeyInput } from "@topicast/core";
import { isJsonObject, ok, parseJson, type Result, refuse, utf8Length } from "@topicast/protocol";
import * as v from "valibot";
import { changesSchema, KEY_RULE, listQuerySchema, newApplicationSchema, newKeySchema } from "./schemas.ts";

/** Bytes of a body, measured before it is parsed. An application with ten keys stays far below what a row of DynamoDB may have. */
const MAX_BODY_BYTES = 64 * 1024;
/** `now` in Unix ms; no time in a body may lie before it. */
export interface Body {
  readonly text: string;
  readonly now: number;
}

/** Of `POST /apps`. Never throws; nor do the others here. */
export function parseNewApplication({ text, now }: Body): Result<ApplicationInput> {
  const fields = parseFields(text, newApplicationSchema(now));
  if (!fields.ok) return fields;
  const { app: name, rules: topicRules, maxConnections, expiresAt, key } = fields.value;
  if (key !== undefined && key.app !== name) return refuse("bad_request", `\`key\` ${KEY_RULE}`);
  return ok({
    ...(key !== undefined && { key }),
    name,
    topicRules,
    ...(maxConnections !== undefined && { maxConnections }),
    ...(expiresAt !== undefined && { expiresAt }),
  });
}

/** Of `PATCH /apps/{app}`. */
export function parseChanges({ text, now }: Body): Result<ApplicationChanges> {
  const fields = parseFields(text, changesSchema(now));
  if (!fields.ok) return fields;
  const { rules: topicRules, maxConnections, expiresAt } = fields.value;
  return ok({
    ...(topicRules !== undefined && { topicRules }),
    ...(maxConnections !== undefined && { maxConnections }),
    ...(expiresAt !== undefined && { expiresAt }),
  });
}

/** Of `POST /apps/{app}/keys`. */
export function parseNewKey({ text, now }: Body): Result<KeyInput> {
  const fields = parseFields(text, newKeySchema(now));
  if (!fields.ok) return fields;
  const { rights, topics, expiresAt } = fields.value;
  return ok({
    rights: [...new Set(rights)],
    topics: [...new Set(topics)],
    ...(expiresAt !== undefined && { expiresAt }),
  });
}

/** The query of `GET /apps`. */
export function parseListQuery(
  query: Readonly<Record<string, string | undefined>>,
): Result<{ readonly cursor?: string; readonly limit: number }> {
  const parsed = v.safeParse(listQuerySchema, query);
  if (!parsed.success) return refuse("bad_request", sentencesOf(parsed.issues));
  const { cursor, limit } = parsed.output;
  return ok({ limit, ...(cursor !== undefined && { cursor }) });
}

/** A body that holds what the schema says; an empty one counts as `{}`. */
function parseFields<S extends v.GenericSchema>(text: string, schema: S): Result<v.InferOutput<S>> {
  const bytes = utf8Length(text);
  if (bytes > MAX_BODY_BYTES) {
    const message = `This body is ${bytes} bytes long; at most ${MAX_BODY_BYTES} are allowed.`;
    return refuse("payload_too_large", message, MAX_BODY_BYTES);
  }
  const json = parseJson(text === "" ? "{}" : text);
  if (!json.ok) return json;
  if (!isJsonObject(json.value)) return refuse("bad_request", "The body must be a JSON object.");
  const parsed = v.safeParse(schema, json.value);
  return parsed.success ? ok(parsed.output) : refuse("bad_request", sentencesOf(parsed.issues));
}

/** What is wrong, all of it, each with the name of its field. */
function sentencesOf(issues: readonly v.BaseIssue<unknown>[]): string {
  const sentences = issues.map((issue) => {
    const [, place = "", rule] = /^(\[\S*)? ?(.*)$/s.exec(issue.message) ?? [];
    return `\`${v.getDotPath(issue)}${place}\` ${rule}`;
  });
  return sentences.join(" ");
}
