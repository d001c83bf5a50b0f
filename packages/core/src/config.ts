import * as v from "valibot";
import { type AllowedOrigins, type Doors, parseDoors } from "./doors.ts";
import { parseTopicRules } from "./parse-topic-rules.ts";
import { type RedisSettings, redisEntries, redisSettings } from "./redis-settings.ts";
import type { Settings } from "./service.ts";
import type { TopicRules } from "./topic-rules.ts";

/** Where a service keeps things and how it posts. */
export type Backend = { readonly store: "memory" } | (Aws & Store);

/** What delivers on AWS, whatever the store is. */
interface Aws {
  readonly fanoutQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  /** The management endpoint of its WebSocket API, as a URL. */
  readonly gatewayEndpoint: string;
}

type Store =
  | { readonly store: "dynamodb"; readonly tableName: string }
  | { readonly store: "redis"; readonly redis: RedisSettings }
  | { readonly store: MovingStore; readonly tableName: string; readonly redis: RedisSettings };

/** Both, while everything moves from one to the other; it is to be in the one that is named first. */
export type MovingStore = "dynamodb+redis" | "redis+dynamodb";

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

const STORES = ["memory", "dynamodb", "dynamodb+redis", "redis+dynamodb", "redis"] as const;
export const storeSchema = v.object({ STORE: v.picklist(STORES, `must be one of: ${STORES.join(", ")}.`) });
const url = v.pipe(v.string("must be set."), v.url("must be a URL."));
const awsEntries = {
  FANOUT_QUEUE_URL: url,
  DEAD_LETTER_QUEUE_URL: url,
  GATEWAY_ENDPOINT: url,
};
const awsSchema = v.object(awsEntries);
const dynamodbSchema = v.object({ TABLE_NAME: v.string("must be set."), ...awsEntries });
const redisSchema = v.object({ ...redisEntries, ...awsEntries });
const movingSchema = v.object({ ...dynamodbSchema.entries, ...redisEntries });

/** What each store's variables make. */
const backendSchemas = {
  memory: v.pipe(
    v.object({}),
    v.transform((): Backend => ({ store: "memory" })),
  ),
  dynamodb: v.pipe(
    dynamodbSchema,
    v.transform((set): Backend => ({ store: "dynamodb", tableName: set.TABLE_NAME, ...awsOf(set) })),
  ),
  redis: v.pipe(
    redisSchema,
    v.transform((set): Backend => ({ store: "redis", redis: redisSettings(set), ...awsOf(set) })),
  ),
  "dynamodb+redis": movingBackend("dynamodb+redis"),
  "redis+dynamodb": movingBackend("redis+dynamodb"),
};

/** Reads what a service is configured with. Throws a `ConfigError` that names every fault at once. */
export function parseConfig(environment: Environment): Config {
  const set = withoutEmpty(environment);
  const counts = v.safeParse(countsSchema, pickEntries(countsSchema, set));
  const store = v.safeParse(storeSchema, pickEntries(storeSchema, set));
  const backendSchema = backendSchemas[store.success ? store.output.STORE : "memory"];
  const backend = v.safeParse(backendSchema, pickEntries(backendSchema, set));
  const topicRules = parseTopicRules(set.TOPIC_RULES ?? "[]");
  const doors = parseDoors(set);
  const faults = [
    ...faultsOf([store, counts, backend]),
    ...("faults" in topicRules ? topicRules.faults.map((fault) => `TOPIC_RULES${fault}`) : []),
    ...("faults" in doors ? doors.faults : []),
  ];
  if (faults.length > 0 || !counts.success || !backend.success || "faults" in topicRules || "faults" in doors) {
    throw new ConfigError(`The environment is wrong: ${faults.join(" ")} The README lists every name.`);
  }
  const { POST_CONCURRENCY, POST_TIMEOUT_MS, MESSAGES_PER_SECOND_MAX, ...fanout } = counts.output;
  return {
    backend: backend.output,
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

/** What a schema asks for. A name that isn't set is there as undefined, so that its own fault is told and not the object's. */
export function pickEntries(schema: { readonly entries: object }, set: Environment): Environment {
  return Object.fromEntries(Object.keys(schema.entries).map((name) => [name, set[name]]));
}

/** Each with the name that it is of. */
export function faultsOf(
  results: readonly { readonly issues?: readonly v.BaseIssue<unknown>[] | undefined }[],
): string[] {
  return results.flatMap(({ issues = [] }) => issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`));
}

/** An empty variable counts as not set. */
export function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
}

function movingBackend(store: MovingStore) {
  return v.pipe(
    movingSchema,
    v.transform((set): Backend => ({ store, tableName: set.TABLE_NAME, redis: redisSettings(set), ...awsOf(set) })),
  );
}

function awsOf(set: v.InferOutput<typeof awsSchema>): Aws {
  return {
    fanoutQueueUrl: set.FANOUT_QUEUE_URL,
    deadLetterQueueUrl: set.DEAD_LETTER_QUEUE_URL,
    gatewayEndpoint: set.GATEWAY_ENDPOINT,
  };
}

function count(fallback: number, min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}.`;
  return v.optional(
    v.pipe(v.string(), v.regex(/^\d+$/, rule), v.transform(Number), v.minValue(min, rule), v.maxValue(max, rule)),
    String(fallback),
  );
}
