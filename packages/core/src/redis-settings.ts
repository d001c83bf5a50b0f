import * as v from "valibot";
import { parseRedisUrl } from "./redis-url.ts";

/** Where a service keeps things in Redis. */
export interface RedisSettings {
  /** As `parseRedisUrl` understands it; it may hold a password. */
  readonly url: string;
  /** Before every key: what tells apart services and stages that share a Redis. */
  readonly keyPrefix: string;
}

/** Of a variable that is a prefix of keys. A brace would decide where a cluster places a key. */
export const keyPrefixSchema = v.pipe(v.string("must be set."), v.regex(/^[^{}]*$/, "must have no braces."));

export const redisEntries = {
  REDIS_URL: v.pipe(
    v.string("must be set."),
    v.check(
      (url) => !("fault" in parseRedisUrl(url)),
      ({ input }) => faultOf(input),
    ),
  ),
  REDIS_PREFIX: keyPrefixSchema,
};

const schema = v.object(redisEntries);

export function redisSettings({
  REDIS_URL: url,
  REDIS_PREFIX: keyPrefix,
}: v.InferOutput<typeof schema>): RedisSettings {
  return { url, keyPrefix };
}

function faultOf(url: string): string {
  const address = parseRedisUrl(url);
  return "fault" in address ? address.fault : "";
}
