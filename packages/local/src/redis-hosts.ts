import { randomUUID } from "node:crypto";
import type { Clock } from "@topicast/core";
import { callRedis, type Redis } from "@topicast/core/redis";
import { StartError } from "./start-error.ts";

export interface JoinOptions {
  /** With a prefix that is for nothing else. */
  readonly redis: Redis;
  readonly doors: string;
  readonly clock: Pick<Clock, "now">;
}

/** `{doors} {id}` of each host, by when it counts as gone (Unix ms) where it doesn't say again that it is there. */
const HOSTS = "hosts";
const COUNTS_FOR_MS = 30_000;
const SAID_EVERY_MS = 10_000;

/**
 * Says that this host is there, until it leaves, by what this resolves with. Throws a {@link StartError} where a host with other doors is there: what one of
 * them keeps to itself, the other would give away.
 */
export async function joinHosts({ redis, doors, clock }: JoinOptions): Promise<() => Promise<void>> {
  const self = `${doors} ${randomUUID()}`;

  async function say(): Promise<readonly string[]> {
    const now = clock.now();
    const answers = await callRedis(redis, () =>
      // Begun anew where it is sent again.
      redis
        .multi()
        .zremrangebyscore(HOSTS, "-inf", now)
        .zadd(HOSTS, now + COUNTS_FOR_MS, self)
        .pexpire(HOSTS, COUNTS_FOR_MS)
        .zrange(HOSTS, "0", "-1")
        .exec(),
    );
    return answers?.at(-1)?.[1] as string[];
  }

  async function leave(): Promise<void> {
    clearInterval(timer);
    // Where Redis can't be told, it forgets by itself.
    await callRedis(redis, () => redis.zrem(HOSTS, self)).catch(() => undefined);
  }

  const all = await say();
  // What fails is said again next time.
  const timer = setInterval(() => say().catch(() => undefined), SAID_EVERY_MS).unref();
  if (all.every((host) => host.startsWith(`${doors} `))) return leave;
  await leave();
  throw new StartError(
    "Hosts on this Redis run with other keys, or without --auth: start this one as they were started, or stop them; one that died counts for half a minute more",
  );
}
