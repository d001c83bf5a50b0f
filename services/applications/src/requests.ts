import {
  APPLICATION_NAME,
  type ApplicationChanges,
  type ApplicationInput,
  type KeyInput,
  type KeyParts,
  parseApplicationKey,
  parseTopicRules,
  RIGHTS,
} from "@topicast/core";
import {
  isJsonObject,
  ok,
  parseJson,
  parseTopicPattern,
  type Result,
  refuse,
  type TopicPattern,
  utf8Length,
} from "@topicast/protocol";
import * as v from "valibot";

/** Bytes of a body, measured before it is parsed. An application with ten keys stays far below what a row of DynamoDB may have. */
const MAX_BODY_BYTES = 64 * 1024;
/** Patterns of a key: what a token may do goes with each message, and API Gateway carries little. */
const MAX_KEY_TOPICS = 20;
const MAX_PAGE_LIMIT = 100;

const NAME_RULE = "must be 1 to 32 characters of a–z, 0–9 and -, beginning with a letter or digit.";
const TOPICS_RULE = `must be a list of 1 to ${MAX_KEY_TOPICS} topic patterns, such as ["room/*"].`;
const KEY_RULE =
  "must read {app}.{keyId}:{secret}, with a keyId of 1 to 16 lower-case letters and digits, and a secret of 32 to 128 letters, digits, - and _.";
const RIGHTS_RULE = `must be a list of some of ${RIGHTS.join(", ")}.`;
const LIMIT_RULE = `must be a whole number from 1 to ${MAX_PAGE_LIMIT}.`;
const COUNT_RULE = "must be a whole number from 1 up.";

const countSchema = v.pipe(v.number(COUNT_RULE), v.safeInteger(COUNT_RULE), v.minValue(1, COUNT_RULE));

/** `now` in Unix ms. */
function expirySchema(now: number) {
  const rule = "must be a time to come, in Unix milliseconds.";
  return v.pipe(v.number(rule), v.safeInteger(rule), v.minValue(now + 1, rule));
}

/** A list as in `TOPIC_RULES`; comes out as the text of it. */
const rulesSchema = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, string>(({ dataset, addIssue, NEVER }) => {
    const text = JSON.stringify(dataset.value);
    const parsed = parseTopicRules(text);
    if ("rules" in parsed) return text;
    // Each begins with where in the list it is.
    for (const message of parsed.faults) addIssue({ message });
    return NEVER;
  }),
);

const patternSchema = v.pipe(
  v.string(TOPICS_RULE),
  v.rawTransform<string, TopicPattern>(({ dataset, addIssue, NEVER }) => {
    const pattern = parseTopicPattern(dataset.value, "topics");
    if (pattern.ok) return pattern.value;
    addIssue({ message: `is wrong: ${pattern.fault.message}` });
    return NEVER;
  }),
);

const topicsSchema = v.pipe(
  v.array(patternSchema, TOPICS_RULE),
  v.minLength(1, TOPICS_RULE),
  v.maxLength(MAX_KEY_TOPICS, TOPICS_RULE),
);
const rightsSchema = v.pipe(
  v.array(v.picklist(RIGHTS, RIGHTS_RULE), RIGHTS_RULE),
  v.minLength(1, RIGHTS_RULE),
  // Each may be there once.
  v.maxLength(RIGHTS.length, RIGHTS_RULE),
);

const keySchema = v.pipe(
  v.string(KEY_RULE),
  v.transform(parseApplicationKey),
  v.custom<KeyParts>((key) => key !== undefined, KEY_RULE),
);

function strictSchema<T extends v.ObjectEntries>(entries: T) {
  return v.strictObject(entries, ({ expected }) =>
    expected === "never" ? `is no field here; those are ${Object.keys(entries).join(", ")}.` : "is missing.",
  );
}

/** `now` in Unix ms; no time in a body may lie before it. */
export interface Body {
  readonly text: string;
  readonly now: number;
}

/** Of `POST /apps`. Never throws; nor do the others here. */
export function parseNewApplication({ text, now }: Body): Result<ApplicationInput> {
  const schema = strictSchema({
    app: v.pipe(v.string(NAME_RULE), v.regex(APPLICATION_NAME, NAME_RULE)),
    rules: v.optional(rulesSchema, []),
    maxConnections: v.optional(countSchema),
    expiresAt: v.optional(expirySchema(now)),
    key: v.optional(keySchema),
  });
  const fields = parseFields(text, schema);
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
  const schema = strictSchema({
    rules: v.optional(rulesSchema),
    maxConnections: v.optional(v.nullable(countSchema)),
    expiresAt: v.optional(v.nullable(expirySchema(now))),
  });
  const fields = parseFields(text, schema);
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
  const schema = strictSchema({
    rights: v.optional(rightsSchema, [...RIGHTS]),
    topics: v.optional(topicsSchema, ["*"]),
    expiresAt: v.optional(expirySchema(now)),
  });
  const fields = parseFields(text, schema);
  if (!fields.ok) return fields;
  const { rights, topics, expiresAt } = fields.value;
  return ok({
    rights: [...new Set(rights)],
    topics: [...new Set(topics)],
    ...(expiresAt !== undefined && { expiresAt }),
  });
}

const querySchema = v.object({
  cursor: v.optional(v.pipe(v.string(), v.regex(APPLICATION_NAME, "must be one that an earlier page gave."))),
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,9}$/, LIMIT_RULE),
      v.transform(Number),
      v.minValue(1, LIMIT_RULE),
      v.maxValue(MAX_PAGE_LIMIT, LIMIT_RULE),
    ),
    String(MAX_PAGE_LIMIT),
  ),
});

/** The query of `GET /apps`. */
export function parseListQuery(
  query: Readonly<Record<string, string | undefined>>,
): Result<{ readonly cursor?: string; readonly limit: number }> {
  const parsed = v.safeParse(querySchema, query);
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
