export { type AppStoreHarness, describeAppStoreContract } from "./app-store-contract.ts";
export { type CapacityMeter, type CapacityUnits, meterCapacity } from "./capacity-meter.ts";
export { settle, TEST_START, type TestClock, testClock } from "./clock.ts";
export {
  type ConnectionGatewayHarness,
  describeConnectionGatewayContract,
  type TestClient,
} from "./connection-gateway-contract.ts";
export type { ConnectionStoreHarness } from "./connection-steps.ts";
export { describeConnectionStoreContract } from "./connection-store-contract.ts";
export { type CuttableNetwork, createCuttableNetwork } from "./cuttable-network.ts";
export {
  aConnection,
  aConnectionId,
  aJob,
  anApp,
  anApplication,
  anApplicationKey,
  aSubscriber,
  aTarget,
  aTopic,
  CONNECTION_LIFE_MS,
  type MessagesJob,
} from "./factories.ts";
export {
  type DeadJob,
  describeFanoutQueueContract,
  type FanoutQueueHarness,
  type ReceivedJob,
} from "./fanout-queue-contract.ts";
export { fewAtATime } from "./few-at-a-time.ts";
export { type HttpAnswers, jsonAnswer, startHttpAnswers } from "./http-answers.ts";
export { findOrInstall } from "./installed-program.ts";
export { aKnownKey, type KnownKey } from "./known-key.ts";
export type { CreateTopicLogHarness, HeldWrite, TopicLogHarness } from "./log-steps.ts";
export { readCurls, runPrinted, withoutChance } from "./printed-commands.ts";
export { createRandom } from "./random.ts";
export { connectRawClient, type Frame, type RawClient } from "./raw-client.ts";
export { createRecoveringClient, type RecoveringClient } from "./recovering-client.ts";
export { type RedisCluster, startRedisCluster } from "./redis-cluster.ts";
export { meterRedis, type RedisCall, type RedisMeter } from "./redis-meter.ts";
export { aKeyPrefix, type CertificateFiles, type RedisServer, startRedis, startRedisServer } from "./redis-server.ts";
export { describeTopicLogContract } from "./topic-log-contract.ts";
