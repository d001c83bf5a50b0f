import { describe, jest } from "@jest/globals";
import {
  type CreateTopicLogHarness,
  describeTopicLogContract,
  startRedis,
  startRedisCluster,
  testClock,
} from "@topicast/testing";
import { createRedisTopicLog } from "../src/drivers/redis.ts";
import type { TopicLog } from "../src/index.ts";
import { createGates } from "./gate.ts";
import { type OpenRedis, useRedis } from "./redis-clients.ts";

/** A cluster takes some seconds to agree. */
jest.setTimeout(60_000);

/** An append is one step, which a test can hold before it is sent. */
function harnessAt(open: () => OpenRedis): CreateTopicLogHarness {
  return async () => {
    const { redis, close } = open();
    const clock = testClock();
    const [keys, writes] = [createGates(), createGates()];
    const log = createRedisTopicLog({ redis, clock });
    const append: TopicLog["append"] = async (app, topic, batch, retention) => {
      if (batch.key !== undefined) await keys.pass();
      await writes.pass();
      return log.append(app, topic, batch, retention);
    };
    return { log: { ...log, append }, clock, holdNextKey: keys.holdNext, holdNextWrite: writes.holdNext, close };
  };
}

describe("a single server", () => {
  describeTopicLogContract("Redis", harnessAt(useRedis(startRedis)), { isAtomic: true });
});

describe("a cluster", () => {
  describeTopicLogContract("Redis in a cluster", harnessAt(useRedis(startRedisCluster)), { isAtomic: true });
});
