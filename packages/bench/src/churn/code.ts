/** All that is measured. */
export { isUnavailable, systemClock } from "@topicast/core";
export { createDynamoDbClient, createDynamoDbConnectionStore, createDynamoDbTopicLog } from "@topicast/core/dynamodb";
export { createMemoryConnectionStore, createMemoryTopicLog } from "@topicast/core/memory";
export { connectRedis, createRedisConnectionStore, createRedisTopicLog } from "@topicast/core/redis";
export { arrive, publish, runCycle } from "./cycle.ts";
