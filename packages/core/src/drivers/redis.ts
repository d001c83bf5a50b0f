export { connectRedis, type Redis, type RedisClientOptions } from "./redis/client.ts";
