import type { Topic } from "@topicast/protocol";
import { connectRedis, createRedisTopicLog } from "../src/drivers/redis.ts";
import { DEFAULT_APP, systemClock } from "../src/index.ts";

/*
 * A process of its own, as Node reads once which authorities it trusts (NODE_EXTRA_CA_CERTS): publishes to the Redis whose URL it is given, and prints what it
 * was answered, as JSON.
 */

const redis = connectRedis(process.argv[2] ?? "");
const log = createRedisTopicLog({ redis, clock: systemClock });
const batch = { payloads: ["sealed"], time: Date.now() };
try {
  const { place } = await log.append(DEFAULT_APP, "room/1" as Topic, batch, { maxMessages: 10, maxAgeMs: 60_000 });
  process.stdout.write(JSON.stringify({ seq: place.seq }));
} catch (error) {
  const { name, message } = error as Error;
  process.stdout.write(JSON.stringify({ name, message }));
}
redis.disconnect();
