import { MAX_HTTP_PAYLOAD_BYTES, parseTopicPattern, type TopicPattern } from "@topicast/protocol";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import * as v from "valibot";
import { DEFAULT_RULE, type TopicRules } from "./topic-rules.ts";

/** Topics that lie still are forgotten after a day, and their history with them. */
const MAX_HISTORY_SECONDS = 86_400;
const MAX_HISTORY_MESSAGES = 100_000;

/** Shorter ones gather nothing: a job's way through the queue takes as long. Longer ones would hold up workers, who wait for a tick to be over. */
const MIN_TICK_MS = 10;
const MAX_TICK_MS = 1_000;

const matchSchema = v.pipe(
  v.string("must be a topic's name, or end in *, such as game/*."),
  v.rawTransform<string, TopicPattern>(({ dataset, addIssue, NEVER }) => {
    const pattern = parseTopicPattern(dataset.value, "match");
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
    maxPayloadBytes: v.optional(wholeNumber(1, MAX_HTTP_PAYLOAD_BYTES)),
    tickMs: v.optional(wholeNumber(MIN_TICK_MS, MAX_TICK_MS)),
  },
  ({ expected }) =>
    expected === "never"
      ? "is no part of a rule; those are match, historySeconds, historyMessages, ephemeral, maxPayloadBytes and tickMs."
      : expected === "Object"
        ? 'must be an object such as {"match":"game/*","historySeconds":600}.'
        : "is missing.",
);
/** What {@link parseTopicRules} takes, once it is JSON. */
export const topicRulesSchema = v.array(
  ruleSchema,
  'must be a list such as [{"match":"game/*","historySeconds":600}].',
);

function wholeNumber(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}.`;
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(min, rule), v.maxValue(max, rule));
}

/** The rules in a JSON text, or what is wrong with it and where: in the text, or in which rule. */
export function parseTopicRules(text: string): { readonly rules: TopicRules } | { readonly faults: readonly string[] } {
  const errors: ParseError[] = [];
  // JSON.parse doesn't always say where it stumbled.
  const json: unknown = parse(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first !== undefined) return { faults: [` must be JSON: ${wordsOf(first)} ${placeOf(text, first)}.`] };
  const parsed = v.safeParse(topicRulesSchema, json);
  if (!parsed.success) return { faults: parsed.issues.map((issue) => `${pathOf(issue)} ${issue.message}`) };
  return { rules: parsed.output.map(ruleOf) };
}

function ruleOf(fields: v.InferOutput<typeof ruleSchema>): TopicRules[number] {
  const { match, historySeconds, historyMessages, ephemeral, maxPayloadBytes, tickMs } = fields;
  const { retention } = DEFAULT_RULE;
  return {
    match,
    retention: {
      maxMessages: historyMessages ?? retention.maxMessages,
      maxAgeMs: historySeconds === undefined ? retention.maxAgeMs : historySeconds * 1_000,
    },
    ephemeral: ephemeral ?? DEFAULT_RULE.ephemeral,
    ...(maxPayloadBytes !== undefined && { maxPayloadBytes }),
    ...(tickMs !== undefined && { tickMs }),
  };
}

/** `CloseBraceExpected` as words. */
function wordsOf({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/\B[A-Z]/g, (letter) => ` ${letter}`)
    .toLowerCase();
}

function placeOf(text: string, { offset }: ParseError): string {
  const before = text.slice(0, offset).split("\n");
  const around = JSON.stringify(text.slice(Math.max(0, offset - 10), offset + 10));
  return `in line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}, around ${around}`;
}

/** `[2].historySeconds`; empty for the text as a whole. */
function pathOf({ path }: v.BaseIssue<unknown>): string {
  return path?.map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("") ?? "";
}
