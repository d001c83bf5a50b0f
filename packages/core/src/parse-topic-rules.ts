import { parseTopicPattern, type TopicPattern } from "@topicast/protocol";
import * as v from "valibot";
import { DEFAULT_RULE, type TopicRules } from "./topic-rules.ts";

/** Topics that lie still are forgotten after a day, and their history with them. */
const MAX_HISTORY_SECONDS = 86_400;
const MAX_HISTORY_MESSAGES = 100_000;
/** The most that a publish may bring, over HTTP. */
const MAX_PAYLOAD_BYTES = 96 * 1024;

const matchSchema = v.pipe(
  v.string("must be a topic's name, or end in *, such as game/*."),
  v.rawTransform<string, TopicPattern>(({ dataset, addIssue, NEVER }) => {
    const pattern = parseTopicPattern(dataset.value);
    if (pattern.ok) return pattern.value;
    addIssue({ message: `is wrong: ${pattern.fault.message}` });
    return NEVER;
  }),
);

const ruleSchema = v.strictObject(
  {
    match: matchSchema,
    historySeconds: v.optional(wholeNumber(0, MAX_HISTORY_SECONDS)),
    historyMessages: v.optional(wholeNumber(0, MAX_HISTORY_MESSAGES)),
    ephemeral: v.optional(v.boolean("must be true or false.")),
    maxPayloadBytes: v.optional(wholeNumber(1, MAX_PAYLOAD_BYTES)),
  },
  ({ expected }) =>
    expected === "never"
      ? "is no part of a rule; those are match, historySeconds, historyMessages, ephemeral and maxPayloadBytes."
      : expected === "Object"
        ? 'must be an object such as {"match":"game/*","historySeconds":600}.'
        : "is missing.",
);
const rulesSchema = v.array(ruleSchema, 'must be a list such as [{"match":"game/*","historySeconds":600}].');

function wholeNumber(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}.`;
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(min, rule), v.maxValue(max, rule));
}

/** The rules in a JSON text, or what is wrong with it and where: in the text, or in which rule. */
export function parseTopicRules(text: string): { readonly rules: TopicRules } | { readonly faults: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // Its message names the place in the text.
    return { faults: [` must be JSON: ${(error as SyntaxError).message}.`] };
  }
  const parsed = v.safeParse(rulesSchema, json);
  if (!parsed.success) return { faults: parsed.issues.map((issue) => `${pathOf(issue)} ${issue.message}`) };
  return { rules: parsed.output.map(ruleOf) };
}

function ruleOf(fields: v.InferOutput<typeof ruleSchema>): TopicRules[number] {
  const { match, historySeconds, historyMessages, ephemeral, maxPayloadBytes } = fields;
  const { retention } = DEFAULT_RULE;
  return {
    match,
    retention: {
      maxMessages: historyMessages ?? retention.maxMessages,
      maxAgeMs: historySeconds === undefined ? retention.maxAgeMs : historySeconds * 1_000,
    },
    ephemeral: ephemeral ?? DEFAULT_RULE.ephemeral,
    ...(maxPayloadBytes !== undefined && { maxPayloadBytes }),
  };
}

/** `[2].historySeconds`; empty for the text as a whole. */
function pathOf({ path }: v.BaseIssue<unknown>): string {
  return path?.map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("") ?? "";
}
