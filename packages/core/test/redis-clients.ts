import { aKeyPrefix } from "@topicast/testing";
import { connectRedis, type Redis } from "../src/drivers/redis.ts";

/** A client whose keys are nobody else's, so that it begins with an empty store. */
export function openRedis(url: string): { readonly redis: Redis; close(): Promise<void> } {
  const redis = connectRedis(url, { keyPrefix: aKeyPrefix() });
  return {
    redis,
    async close() {
      redis.disconnect();
    },
  };
}
