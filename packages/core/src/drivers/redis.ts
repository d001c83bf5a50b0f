export { createRedisAppStore } from "./app-store/redis.ts";
export { createRedisConnectionStore } from "./connection-store/redis.ts";
export { callRedis } from "./redis/call.ts";
export { connectRedis, type Redis, type RedisClientOptions } from "./redis/client.ts";
export { createRedisTopicLog } from "./topic-log/redis.ts";
