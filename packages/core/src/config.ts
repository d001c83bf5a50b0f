import * as v from "valibot";
import type { Settings } from "./service.ts";

const STORES = ["memory"] as const;

export interface Config {
  readonly store: (typeof STORES)[number];
  readonly settings: Settings;
}

/** Environment variables are strings; an empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment that a service can't run with. `message` lists every fault. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

function count(fallback: number, min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}.`;
  return v.optional(
    v.pipe(v.string(), v.regex(/^\d+$/, rule), v.transform(Number), v.minValue(min, rule), v.maxValue(max, rule)),
    String(fallback),
  );
}

const schema = v.object({
  STORE: v.picklist(STORES, `must be one of: ${STORES.join(", ")}.`),
  FANOUT_INLINE_MAX: count(16, 0, 1_000),
  FANOUT_PAGE_SIZE: count(500, 1, 1_000),
  FANOUT_ATTEMPTS_MAX: count(6, 1, 100),
  SUBSCRIPTIONS_MAX: count(100, 1, 1_000),
});

/** Reads what a service is configured with. Throws a `ConfigError` that names every fault at once. */
export function parseConfig(environment: Environment): Config {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = v.safeParse(schema, set);
  if (!parsed.success) {
    const faults = parsed.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`);
    throw new ConfigError(`The environment is wrong: ${faults.join(" ")} The README lists every name.`);
  }
  const { STORE, FANOUT_INLINE_MAX, FANOUT_PAGE_SIZE, FANOUT_ATTEMPTS_MAX, SUBSCRIPTIONS_MAX } = parsed.output;
  return {
    store: STORE,
    settings: {
      inlineMax: FANOUT_INLINE_MAX,
      pageSize: FANOUT_PAGE_SIZE,
      maxAttempts: FANOUT_ATTEMPTS_MAX,
      maxSubscriptions: SUBSCRIPTIONS_MAX,
    },
  };
}
