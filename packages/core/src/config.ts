import * as v from "valibot";
import { type AllowedOrigins, type Doors, parseDoors } from "./doors.ts";
import { parseTopicRules } from "./parse-topic-rules.ts";
import type { Settings } from "./service.ts";
import type { TopicRules } from "./topic-rules.ts";

/** Where a service keeps things and how it posts. */
export type Backend =
  | { readonly store: "memory" }
  | {
      readonly store: "dynamodb";
      readonly tableName: string;
      readonly fanoutQueueUrl: string;
      readonly deadLetterQueueUrl: string;
      /** The management endpoint of its WebSocket API, as a URL. */
      readonly gatewayEndpoint: string;
    };

export interface Config {
  readonly backend: Backend;
  readonly doors: Doors;
  readonly allowedOrigins: AllowedOrigins;
  readonly settings: Settings;
  /** What holds for all applications, behind what each says for itself. */
  readonly rules: TopicRules;
  /** Of one connection, as far as one Lambda sees it. */
  readonly messagesPerSecond: number;
  readonly posting: { readonly concurrency: number; readonly timeoutMs: number };
}

/** Environment variables are strings; an empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment that a service can't run with. `message` lists every fault. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const countsSchema = v.object({
  FANOUT_INLINE_MAX: count(16, 0, 1_000),
  FANOUT_SHARD_MAX: count(5_000, 1, 100_000),
  FANOUT_PAGE_SIZE: count(500, 1, 1_000),
  FANOUT_ATTEMPTS_MAX: count(6, 5, 100),
  SUBSCRIPTIONS_MAX: count(100, 1, 1_000),
  POST_CONCURRENCY: count(64, 1, 1_000),
  POST_TIMEOUT_MS: count(3_000, 100, 8_000),
  MESSAGES_PER_SECOND_MAX: count(100, 1, 1_000_000),
});

const STORES = ["memory", "dynamodb"] as const;
const storeSchema = v.object({ STORE: v.picklist(STORES, `must be one of: ${STORES.join(", ")}.`) });
const url = v.pipe(v.string("must be set."), v.url("must be a URL."));
const dynamodbSchema = v.object({
  TABLE_NAME: v.string("must be set."),
  FANOUT_QUEUE_URL: url,
  DEAD_LETTER_QUEUE_URL: url,
  GATEWAY_ENDPOINT: url,
});

/** Reads what a service is configured with. Throws a `ConfigError` that names every fault at once. */
export function parseConfig(environment: Environment): Config {
  const set = withoutEmpty(environment);
  // A name that isn't set stays in as undefined, so that its own fault is told and not the object's.
  const pick = (schema: { readonly entries: object }) =>
    Object.fromEntries(Object.keys(schema.entries).map((name) => [name, set[name]]));
  const counts = v.safeParse(countsSchema, pick(countsSchema));
  const store = v.safeParse(storeSchema, pick(storeSchema));
  const dynamodb = set.STORE === "dynamodb" ? v.safeParse(dynamodbSchema, pick(dynamodbSchema)) : undefined;
  const issues: v.BaseIssue<unknown>[] = [store, counts, dynamodb].flatMap(
    (parsed): v.BaseIssue<unknown>[] => parsed?.issues ?? [],
  );
  const topicRules = parseTopicRules(set.TOPIC_RULES ?? "[]");
  const doors = parseDoors(set);
  const faults = [
    ...issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`),
    ...("faults" in topicRules ? topicRules.faults.map((fault) => `TOPIC_RULES${fault}`) : []),
    ...("faults" in doors ? doors.faults : []),
  ];
  if (faults.length > 0 || !counts.success || "faults" in topicRules || "faults" in doors) {
    throw new ConfigError(`The environment is wrong: ${faults.join(" ")} The README lists every name.`);
  }
  const { POST_CONCURRENCY, POST_TIMEOUT_MS, MESSAGES_PER_SECOND_MAX, ...fanout } = counts.output;
  return {
    backend: dynamodb?.success ? dynamodbBackend(dynamodb.output) : { store: "memory" },
    ...doors,
    settings: {
      inlineMax: fanout.FANOUT_INLINE_MAX,
      shardMax: fanout.FANOUT_SHARD_MAX,
      pageSize: fanout.FANOUT_PAGE_SIZE,
      maxAttempts: fanout.FANOUT_ATTEMPTS_MAX,
      maxSubscriptions: fanout.SUBSCRIPTIONS_MAX,
    },
    rules: topicRules.rules,
    messagesPerSecond: MESSAGES_PER_SECOND_MAX,
    posting: { concurrency: POST_CONCURRENCY, timeoutMs: POST_TIMEOUT_MS },
  };
}

/** An empty variable counts as not set. */
export function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
}

function dynamodbBackend(names: v.InferOutput<typeof dynamodbSchema>): Backend {
  return {
    store: "dynamodb",
    tableName: names.TABLE_NAME,
    fanoutQueueUrl: names.FANOUT_QUEUE_URL,
    deadLetterQueueUrl: names.DEAD_LETTER_QUEUE_URL,
    gatewayEndpoint: names.GATEWAY_ENDPOINT,
  };
}

function count(fallback: number, min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}.`;
  return v.optional(
    v.pipe(v.string(), v.regex(/^\d+$/, rule), v.transform(Number), v.minValue(min, rule), v.maxValue(max, rule)),
    String(fallback),
  );
}
