import { Cluster, Redis as Single } from "ioredis";
import { parseRedisUrl, type RedisAddress } from "../../redis-url.ts";
import { forgetFailure, noteFailure } from "./errors.ts";
import { gatherWrites } from "./gather-writes.ts";

/** A server, or a cluster: the drivers have the same code for both. */
export type Redis = Single | Cluster;

export interface RedisClientOptions {
  /** Before every key, with nothing added: what shares a Redis is told apart by it. It must have no `{`. */
  readonly keyPrefix?: string;
  /** Bound of connecting, and of one attempt: a connection on which nothing comes back for as long is given up. */
  readonly attemptTimeoutMs?: number;
}

/** Between two attempts to connect: the first is soon, for a server that only closed what was idle. */
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;

/**
 * From the end of a connection that is given up until it is torn down where the other side doesn't end it too. ioredis waits as long where it was closed before, and
 * keeps the process from ending meanwhile.
 */
const GOODBYE_MS = 100;

/** Of one command in a cluster: to a node that has gone, to another that knows where the slot is now, and there. */
const MAX_REDIRECTIONS = 5;

/**
 * A client that gives up soon. One a process: it has one connection to a server, or one to each master of a cluster and one that listens, which
 * are made when they are first used. Nothing is kept for longer than an attempt to connect takes. Throws where the URL isn't one, see `parseRedisUrl`.
 */
export function connectRedis(
  url: string,
  { keyPrefix = "", attemptTimeoutMs = 1_000 }: RedisClientOptions = {},
): Redis {
  const address = parseRedisUrl(url);
  // Nothing of the URL, as it may hold a password.
  if ("fault" in address) throw new Error(`A URL of Redis ${address.fault}`);
  const shared = { keyPrefix, ...connectionOptions(address, attemptTimeoutMs) };
  const redis = address.cluster ? connectCluster(address, shared) : connectSingle(address, shared);
  // Every command that fails says so itself; without a listener ioredis prints.
  redis.on("error", (error: Error) => noteFailure(redis, error));
  redis.on("ready", () => forgetFailure(redis));
  return redis;
}

type ConnectionOptions = ReturnType<typeof connectionOptions>;

function connectionOptions({ tls, username, password }: RedisAddress, attemptTimeoutMs: number) {
  return {
    lazyConnect: true,
    connectTimeout: attemptTimeoutMs,
    disconnectTimeout: GOODBYE_MS,
    socketTimeout: attemptTimeoutMs,
    // Both would make the first command of a cold start wait for one round trip more. A server that still loads says so itself.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Every server speaks it.
    protocol: 2 as const,
    // It would send what was under way again each time that it connects, to a server that hangs for as long as that does. `callRedis` does so once.
    maxRetriesPerRequest: 0,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  };
}

function connectSingle({ nodes: [node], database }: RedisAddress, options: ConnectionOptions & { keyPrefix: string }) {
  const single = new Single({
    ...options,
    ...node,
    db: database,
    retryStrategy: retryAfter,
    // A primary that became a replica: its address leads to the new one by now. The command isn't sent again, as that would go on for as long as there is none.
    reconnectOnError: (error) => error.message.includes("READONLY"),
  });
  gatherWrites(single);
  return single;
}

function connectCluster({ nodes }: RedisAddress, { keyPrefix, ...options }: ConnectionOptions & { keyPrefix: string }) {
  const cluster = new Cluster(
    nodes.map((node) => ({ ...node })),
    {
      keyPrefix,
      lazyConnect: true,
      redisOptions: options,
      // Names stay names, which TLS needs.
      dnsLookup: (name, callback) => callback(null, name),
      enableReadyCheck: false,
      maxRedirections: MAX_REDIRECTIONS,
      clusterRetryStrategy: retryAfter,
      // The slots are asked of one node after another, on new connections: the default of 1 s can be too short for TLS.
      slotsRefreshTimeout: 2 * options.connectTimeout,
    },
  );
  cluster.on("+node", (node: Single) => {
    gatherWrites(node);
    noteFailuresOfDuplicates(cluster, node);
    node.on("ready", () => forgetFailure(cluster));
  });
  cluster.on("node error", (error: Error) => noteFailure(cluster, error));
  return cluster;
}

/** A cluster asks for its slots on connections of their own, of whose failures, such as a certificate, it tells no more than that they were closed. */
function noteFailuresOfDuplicates(cluster: Cluster, node: Single): void {
  const duplicate = node.duplicate.bind(node);
  node.duplicate = (override) => {
    const copy = duplicate(override);
    copy.on("error", (error: Error) => noteFailure(cluster, error));
    return copy;
  };
}

function retryAfter(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
}
