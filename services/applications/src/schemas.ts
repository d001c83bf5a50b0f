import { APPLICATION_NAME, type KeyParts, parseApplicationKey, parseTopicRules, RIGHTS } from "@topicast/core";
import { parseTopicPattern, type TopicPattern } from "@topicast/protocol";
import * as v from "valibot";

/* What the operator asks for, as schemas. `now` in Unix ms; no time may lie before it. */

/** Patterns of a key: what a token may do goes with each message, and API Gateway carries little. */
const MAX_KEY_TOPICS = 20;
export const MAX_PAGE_LIMIT = 100;

const NAME_RULE = "must be 1 to 32 characters of a–z, 0–9 and -, beginning with a letter or digit.";
const TOPICS_RULE = `must be a list of 1 to ${MAX_KEY_TOPICS} topic patterns, such as ["room/*"].`;
export const KEY_RULE =
  "must read {app}.{keyId}:{secret}, with a keyId of 1 to 16 lower-case letters and digits, and a secret of 32 to 128 letters, digits, - and _.";
const RIGHTS_RULE = `must be a list of some of ${RIGHTS.join(", ")}.`;
const LIMIT_RULE = `must be a whole number from 1 to ${MAX_PAGE_LIMIT}.`;
const COUNT_RULE = "must be a whole number from 1 up.";

const countSchema = v.pipe(v.number(COUNT_RULE), v.safeInteger(COUNT_RULE), v.minValue(1, COUNT_RULE));

/** `now` in Unix ms. */
function expirySchema(now: number) {
  const rule = "must be a time to come, in Unix milliseconds.";
  return v.pipe(
    v.number(rule),
    v.safeInteger(rule),
    v.minValue(now + 1, rule),
    v.description("Unix ms, a time to come; after it it is gone."),
  );
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
  v.description("A topic's name; `*` alone, or after a `/` at the end, stands for any rest."),
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
  v.description(
    "Where it was made before: `{app}.{keyId}:{secret}`, with 32 to 128 letters, digits, - and _ for a secret.",
  ),
  v.transform(parseApplicationKey),
  v.custom<KeyParts>((key) => key !== undefined, KEY_RULE),
);

function strictSchema<T extends v.ObjectEntries>(entries: T) {
  return v.strictObject(entries, ({ expected }) =>
    expected === "never" ? `is no field here; those are ${Object.keys(entries).join(", ")}.` : "is missing.",
  );
}

/** Of `POST /apps`. */
export function newApplicationSchema(now: number) {
  return strictSchema({
    app: v.pipe(v.string(NAME_RULE), v.regex(APPLICATION_NAME, NAME_RULE)),
    rules: v.optional(rulesSchema, []),
    maxConnections: v.optional(countSchema),
    expiresAt: v.optional(expirySchema(now)),
    key: v.optional(keySchema),
  });
}

/** Of `PATCH /apps/{app}`. */
export function changesSchema(now: number) {
  return strictSchema({
    rules: v.optional(rulesSchema),
    maxConnections: v.optional(v.nullable(countSchema)),
    expiresAt: v.optional(v.nullable(expirySchema(now))),
  });
}

/** Of `POST /apps/{app}/keys`. */
export function newKeySchema(now: number) {
  return strictSchema({
    rights: v.optional(rightsSchema, [...RIGHTS]),
    topics: v.optional(topicsSchema, ["*"]),
    expiresAt: v.optional(expirySchema(now)),
  });
}

/** The query of `GET /apps`. */
export const listQuerySchema = v.object({
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
