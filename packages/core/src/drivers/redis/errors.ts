import { UnavailableError } from "../../errors.ts";
import type { Redis } from "./client.ts";

/** As ioredis throws it. Not by class: a host may run us in a realm that has other classes than the network has. */
interface RedisFault {
  readonly name?: string;
  readonly message?: string;
  /** Where a cluster says that none of its nodes answered. */
  readonly lastNodeError?: RedisFault;
}

/** What Redis says where it can't now, and a later try may do better. Behind a script's words in servers before 7. */
const PASSING =
  /(?:^|[ -])(OOM|LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|BUSY|MOVED|ASK|ERR max )/;

/** To who gave none; the second is how it takes commands with many arguments. */
const WANTS_PASSWORD = /^(NOAUTH|ERR Protocol error: unauthenticated)/;
const REFUSES_PASSWORD = /^(WRONGPASS|ERR AUTH |ERR invalid password)/;

/** As ioredis calls what has another reason, mostly. */
const CLOSED = "Connection is closed";

/** What went wrong with a client's connections since it had one last: ioredis tells commands no more than that they were given up. */
const lastFailures = new WeakMap<Redis, string>();

export function noteFailure(redis: Redis, error: RedisFault): void {
  const reason = reasonOf(error.lastNodeError ?? error);
  // Why is told ahead of it.
  if (reason !== CLOSED || !lastFailures.has(redis)) lastFailures.set(redis, reason);
}

/** It is connected: what fails next has another reason. */
export function forgetFailure(redis: Redis): void {
  lastFailures.delete(redis);
}

/**
 * What a call throws for an error of ioredis: `UnavailableError` with the address, or, for what only a mistake of ours can be, an error with Redis's words.
 * Neither has anything that was sent, as ioredis's own have.
 */
export function translate(redis: Redis, error: RedisFault): Error {
  const reason = isAnswer(error) ? reasonOf(error) : lastFailureOf(redis, error);
  if (WANTS_PASSWORD.test(reason)) return unavailable(redis, `wants a password: ${reason}`);
  if (REFUSES_PASSWORD.test(reason)) return unavailable(redis, `refused the password: ${reason}`);
  if (!isAnswer(error)) return unavailable(redis, `can't be reached: ${reason}`);
  if (PASSING.test(reason)) return unavailable(redis, `can't do it now: ${reason}`);
  return new Error(`Redis at ${addressesOf(redis)} refused a command: ${reason}`);
}

/** Whether Redis said so, and not its connection. */
export function isAnswer({ name }: RedisFault): boolean {
  return name === "ReplyError";
}

export function unavailable(redis: Redis, what: string): UnavailableError {
  return new UnavailableError("store", `Redis at ${addressesOf(redis)} ${what}. Try again.`);
}

/** Where a connection fails, its own error says more than the command's: refused, a name that nobody knows, a password. It has none where it was closed. */
function lastFailureOf(redis: Redis, error: RedisFault): string {
  // It says how often a command was sent again, and nothing else.
  const isClosed = error.name === "MaxRetriesPerRequestError";
  return lastFailures.get(redis) ?? (isClosed ? CLOSED : reasonOf(error));
}

function reasonOf({ message = "" }: RedisFault): string {
  return message.replace(/\.$/, "");
}

/** `host:port`, divided by commas: of a cluster, where it is asked first. */
function addressesOf(redis: Redis): string {
  const nodes = redis.isCluster ? (redis as unknown as Startup).startupNodes : [redis.options as Node];
  return nodes.map(({ host, port }) => `${host}:${port}`).join(", ");
}

interface Node {
  readonly host: string;
  readonly port: number;
}

/** As `connectRedis` made it; private in its types. */
interface Startup {
  readonly startupNodes: readonly Node[];
}
