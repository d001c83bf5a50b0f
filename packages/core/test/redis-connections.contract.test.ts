import { describe, jest } from "@jest/globals";
import { describeConnectionStoreContract, startRedis, startRedisCluster, testClock } from "@topicast/testing";
import { createRedisConnectionStore } from "../src/drivers/redis.ts";
import { useRedis } from "./redis-clients.ts";

/** A cluster takes some seconds to agree; some tests make hundreds of calls. */
jest.setTimeout(30_000);

describe.each([
  ["a Redis server", startRedis, undefined],
  ["a Redis cluster", startRedisCluster, "localhost:4000/message-topic"],
] as const)("%s", (name, start, address) => {
  const open = useRedis(start);

  describeConnectionStoreContract(address === undefined ? name : `${name}, whose address rows leave out,`, async () => {
    const { redis, close } = open();
    const clock = testClock();
    return { store: createRedisConnectionStore({ redis, clock, ...(address && { address }) }), clock, close };
  });
});
