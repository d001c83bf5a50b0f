import { afterAll, beforeAll } from "@jest/globals";
import { aKeyPrefix } from "@topicast/testing";
import { connectRedis, type Redis } from "../src/drivers/redis.ts";

export interface OpenRedis {
  readonly redis: Redis;
  close(): Promise<void>;
}

interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a server, or a cluster, for the tests of the describe around it; returns how a test gets clients of it. */
export function useRedis(start: () => Promise<Started>): () => OpenRedis {
  let server: Started | undefined;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());
  return () => openRedis(server?.url ?? "");
}

/** A client whose keys are nobody else's, so that it begins with an empty store. */
function openRedis(url: string): OpenRedis {
  const redis = connectRedis(url, { keyPrefix: aKeyPrefix() });
  return {
    redis,
    async close() {
      redis.disconnect();
    },
  };
}
