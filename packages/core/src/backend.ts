import { type Applications, createApplications, openApplications } from "./applications.ts";
import type { ApplicationsBackend } from "./applications-config.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Backend, Config, MovingStore } from "./config.ts";
import type { ClosedDoors } from "./doors.ts";
import { createDynamoDbAppStore } from "./drivers/app-store/dynamodb.ts";
import { createRedisAppStore } from "./drivers/app-store/redis.ts";
import { createGatewayClient, createSqsClient } from "./drivers/aws-clients.ts";
import { createApiGateway } from "./drivers/connection-gateway/api-gateway.ts";
import { createDynamoDbConnectionStore } from "./drivers/connection-store/dynamodb.ts";
import { createRedisConnectionStore } from "./drivers/connection-store/redis.ts";
import { createDynamoDbClient } from "./drivers/dynamodb/client.ts";
import { sealerOf } from "./drivers/encryption-key.ts";
import { createSqsQueue } from "./drivers/fanout-queue/sqs.ts";
import { createMovingAppStore } from "./drivers/moving/app-store.ts";
import { createMovingConnectionStore } from "./drivers/moving/connection-store.ts";
import { createMovingTopicLog } from "./drivers/moving/topic-log.ts";
import type { StoreIndex } from "./drivers/moving/topic-owner.ts";
import { createAuthEndpoint } from "./drivers/token-authority/auth-endpoint.ts";
import { createJwks } from "./drivers/token-authority/jwks.ts";
import { connectRedis, type Redis } from "./drivers/redis/client.ts";
import { createDynamoDbTopicLog } from "./drivers/topic-log/dynamodb.ts";
import { createRedisTopicLog } from "./drivers/topic-log/redis.ts";
import { embeddedPorts } from "./embedded.ts";
import type { AppStore } from "./ports/app-store.ts";
import type { ConnectionGateway } from "./ports/connection-gateway.ts";
import type { ConnectionStore } from "./ports/connection-store.ts";
import type { FanoutQueue } from "./ports/fanout-queue.ts";
import type { TopicLog } from "./ports/topic-log.ts";
import { createRateLimiter, type RateLimiter } from "./rate-limiter.ts";
import type { RedisSettings } from "./redis-settings.ts";
import type { Logger } from "./service.ts";
import { createKeyCheck, everyone, type KeyCheck } from "./use-cases/check-key.ts";
import { anyone, createTokenCheck, type TokenCheck } from "./use-cases/check-token.ts";
import { createApplicationAuthority } from "./use-cases/vouch-for-token.ts";

export { sealerOf } from "./drivers/encryption-key.ts";

/*
 * Which driver a backend has for each port: one function a port, so that a bundle holds only the drivers that its handler asks for. What is packaged
 * for one store has the other's drivers left out, some 200 KB of a function's 500, by BUNDLED_STORE (packages/deploy/esbuild.yml); all else has all.
 */

/** Functions were packaged for one store and are told to use another. */
class NotBundledError extends Error {
  override readonly name = "NotBundledError";

  constructor(store: string) {
    super(`STORE is ${store}, and these functions were packaged for ${process.env.BUNDLED_STORE}: deploy them anew.`);
  }
}

export function clockOf(backend: Pick<Backend, "store">): Clock {
  return backend.store === "memory" ? embeddedPorts().clock : systemClock;
}

/** What a connection's row says of where it is held. */
export function addressOf(backend: Backend): string {
  return backend.store === "memory" ? embeddedPorts().address : backend.gatewayEndpoint;
}

export function connectionStoreOf(backend: Backend): ConnectionStore {
  if (backend.store === "memory") return embeddedPorts().connections;
  const parts = { clock: clockOf(backend), address: addressOf(backend) };
  if (process.env.BUNDLED_STORE !== "dynamodb" && backend.store === "redis")
    return createRedisConnectionStore({ redis: redis(backend.redis), ...parts });
  if (process.env.BUNDLED_STORE !== "redis" && backend.store === "dynamodb")
    return createDynamoDbConnectionStore({ client: dynamodb(), tableName: backend.tableName, ...parts });
  if (process.env.BUNDLED_STORE !== "dynamodb" && process.env.BUNDLED_STORE !== "redis" && isMoving(backend)) {
    const [inDynamoDb, inRedis] = partsOf(backend);
    const stores = [connectionStoreOf(inDynamoDb), connectionStoreOf(inRedis)] as const;
    return createMovingConnectionStore({ stores, owner: ownerOf(backend) });
  }
  throw new NotBundledError(backend.store);
}

export function topicLogOf(backend: Backend): TopicLog {
  if (backend.store === "memory") return embeddedPorts().log;
  if (process.env.BUNDLED_STORE !== "dynamodb" && backend.store === "redis")
    return createRedisTopicLog({ redis: redis(backend.redis), clock: clockOf(backend) });
  if (process.env.BUNDLED_STORE !== "redis" && backend.store === "dynamodb")
    return createDynamoDbTopicLog({ client: dynamodb(), tableName: backend.tableName, clock: clockOf(backend) });
  if (process.env.BUNDLED_STORE !== "dynamodb" && process.env.BUNDLED_STORE !== "redis" && isMoving(backend)) {
    const clock = clockOf(backend);
    const inDynamoDb = createDynamoDbTopicLog({ client: dynamodb(), tableName: backend.tableName, clock });
    const inRedis = createRedisTopicLog({ redis: redis(backend.redis), clock });
    return createMovingTopicLog({ stores: [inDynamoDb, inRedis], owner: ownerOf(backend), clock });
  }
  throw new NotBundledError(backend.store);
}

function isMoving<B extends { readonly store: string }>(backend: B): backend is Extract<B, { store: MovingStore }> {
  return backend.store === "dynamodb+redis" || backend.store === "redis+dynamodb";
}

function isToRedis({ store }: { readonly store: MovingStore }): boolean {
  return store === "redis+dynamodb";
}

/** Which of the two has topics, and decides about limits. */
function ownerOf(backend: { readonly store: MovingStore }): StoreIndex {
  return isToRedis(backend) ? 1 : 0;
}

/** The same backend with one of its two stores, in the order that all processes have them in. */
function partsOf<B extends object>(backend: B) {
  return [
    { ...backend, store: "dynamodb" as const },
    { ...backend, store: "redis" as const },
  ] as const;
}

export function fanoutQueueOf(backend: Backend): FanoutQueue {
  if (backend.store === "memory") return embeddedPorts().queue;
  const { fanoutQueueUrl: queueUrl, deadLetterQueueUrl } = backend;
  return createSqsQueue({ client: createSqsClient(), queueUrl, deadLetterQueueUrl, clock: clockOf(backend) });
}

export function gatewayOf(
  { backend, posting }: Pick<Config, "backend" | "posting">,
  logger: Logger,
): ConnectionGateway {
  if (backend.store === "memory") return embeddedPorts().gateway;
  const client = createGatewayClient({ endpoint: backend.gatewayEndpoint, concurrency: posting.concurrency });
  return createApiGateway({ client, logger, clock: clockOf(backend), ...posting });
}

export function applicationsOf({ backend, doors, rules }: Config): Applications {
  if (doors.open) return openApplications(rules);
  return createApplications({ apps: appStoreOf(applicationsBackend(backend, doors)), clock: clockOf(backend), rules });
}

/** Where the service of applications keeps them. */
function applicationsBackend(backend: Backend, doors: ClosedDoors): ApplicationsBackend {
  if (backend.store === "memory") return { store: "memory" };
  const { applicationsTable: tableName = "", applicationsPrefix: keyPrefix = "" } = doors;
  if (backend.store === "dynamodb") return { store: backend.store, tableName };
  const inRedis = { url: backend.redis.url, keyPrefix };
  if (backend.store === "redis") return { store: backend.store, redis: inRedis };
  return { store: backend.store, tableName, redis: inRedis };
}

export function appStoreOf(backend: ApplicationsBackend): AppStore {
  if (backend.store === "memory") return embeddedPorts().apps;
  if (process.env.BUNDLED_STORE !== "dynamodb" && backend.store === "redis")
    return createRedisAppStore({ redis: redis(backend.redis), clock: clockOf(backend) });
  if (process.env.BUNDLED_STORE !== "redis" && backend.store === "dynamodb")
    return createDynamoDbAppStore({ client: dynamodb(), tableName: backend.tableName, clock: clockOf(backend) });
  if (process.env.BUNDLED_STORE !== "dynamodb" && process.env.BUNDLED_STORE !== "redis" && isMoving(backend)) {
    const [inDynamoDb, inRedis] = partsOf(backend).map(appStoreOf) as [AppStore, AppStore];
    return createMovingAppStore({ stores: isToRedis(backend) ? [inRedis, inDynamoDb] : [inDynamoDb, inRedis] });
  }
  throw new NotBundledError(backend.store);
}

export function keyCheckOf({ backend, doors }: Config, applications: Applications): KeyCheck {
  return doors.open ? everyone : createKeyCheck({ applications, clock: clockOf(backend) });
}

export function tokenCheckOf({ backend, doors }: Config, applications: Applications, logger: Logger): TokenCheck {
  if (doors.open) return anyone;
  const clock = clockOf(backend);
  return createTokenCheck({ applications, clock, logger, authorities: authoritiesOf(doors, applications, clock) });
}

/** Who vouches for tokens, in the order in which they are asked. */
function authoritiesOf({ authUrl, jwks, encryptionKey }: ClosedDoors, applications: Applications, clock: Clock) {
  if (authUrl !== undefined) return [createAuthEndpoint({ url: authUrl })];
  const ofApplications = createApplicationAuthority({ applications, clock, sealer: sealerOf(encryptionKey) });
  return jwks === undefined ? [ofApplications] : [ofApplications, createJwks({ ...jwks, clock })];
}

export function limiterOf({ backend, messagesPerSecond }: Config): RateLimiter {
  return createRateLimiter({ clock: clockOf(backend), perSecond: messagesPerSecond });
}

let client: ReturnType<typeof createDynamoDbClient> | undefined;

/** One for all ports, so that they share its sockets. */
function dynamodb(): ReturnType<typeof createDynamoDbClient> {
  client ??= createDynamoDbClient();
  return client;
}

const redisClients = new Map<string, Redis>();

/** One for all ports of a service, and one for applications, whose keys have another prefix. */
function redis({ url, keyPrefix }: RedisSettings): Redis {
  const client = redisClients.get(keyPrefix) ?? connectRedis(url, { keyPrefix });
  redisClients.set(keyPrefix, client);
  return client;
}
