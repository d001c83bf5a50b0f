import { randomUUID } from "node:crypto";
import { callRedis, type Redis } from "@topicast/core/redis";
import { StartError } from "./start-error.ts";

/** What a host says of itself to those that share a Redis with it. */
export interface HostPlace {
  /** What closes its doors; nothing of it can be told from it. */
  readonly doors: string;
  /** Where the others reach it: `name:port`. */
  readonly address: string;
  /** The same for all that reach one another on loopback addresses. */
  readonly machine: string;
}

export interface JoinOptions extends HostPlace {
  /** With a prefix that is for nothing else. */
  readonly redis: Redis;
  readonly log: (line: string) => void;
}

/** A host's part in a Redis that others share. */
export interface Membership {
  /** Throws a {@link StartError} where a host is there that doesn't go together with this one. */
  check(): Promise<void>;
  /** Why this host must keep away from what is shared, for as long as it must: it was away for so long that others took its place. */
  fault(): string | undefined;
  leave(): Promise<void>;
}

/** A sorted set of the hosts, each as JSON with an id, by when it counts as gone (Unix ms) where it doesn't say again that it is there. */
const HOSTS = "members";
const COUNTS_FOR_MS = 30_000;
const SAID_EVERY_MS = 10_000;

/**
 * Says that a host is there, where it goes together with all that are, in one step: of two that begin at the same moment one is second. The time is the
 * server's, as several machines' differ. What had the same address on the same machine is dead, since a port is one process's.
 */
const SAY = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local own = cjson.decode(ARGV[1])
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local other = cjson.decode(member)
  if other.id ~= own.id then
    local isHere = other.machine == own.machine
    if isHere and other.address == own.address then redis.call('ZREM', KEYS[1], member)
    elseif other.doors ~= own.doors then return 'doors'
    elseif not isHere and (other.address == own.address or other.isLocal or own.isLocal) then return 'address' end
  end
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return false`;

const FAULTS: Readonly<Record<string, string>> = {
  doors:
    "Hosts on this Redis run with other keys, or without --auth: start this one as they were started, or stop them; one that died counts for half a minute more",
  address:
    "Hosts on this Redis run on another machine, and can't reach this one, or it them: start each with an address of its own that the others reach, --host 192.168.1.5; one that died counts for half a minute more",
};

/**
 * Says that this host is there, until it leaves. Throws a {@link StartError} where a host with other doors is there, as what one of them keeps to itself the
 * other would give away; and where they can't reach one another, as each would take the other's connections for gone.
 */
export async function joinHosts({ redis, log, ...place }: JoinOptions): Promise<Membership> {
  const self = JSON.stringify({ id: randomUUID(), isLocal: isLoopback(place.address), ...place });
  let fault: string | undefined;

  async function say(): Promise<string | undefined> {
    const answer = await callRedis(redis, () => redis.eval(SAY, 1, HOSTS, self, COUNTS_FOR_MS));
    return answer === null ? undefined : FAULTS[String(answer)];
  }

  async function sayAgain(): Promise<void> {
    const before = fault;
    fault = await say();
    if (fault !== undefined && fault !== before) log(`Clients are told unavailable. ${fault}.`);
    if (fault === undefined && before !== undefined) log("The other hosts are gone, and clients are served again.");
  }

  async function leave(): Promise<void> {
    clearInterval(timer);
    // Where Redis can't be told, it forgets by itself.
    await callRedis(redis, () => redis.zrem(HOSTS, self)).catch(() => undefined);
  }

  const refusal = await say();
  if (refusal !== undefined) throw new StartError(refusal);
  // What fails is said again next time.
  const timer = setInterval(() => sayAgain().catch(() => undefined), SAID_EVERY_MS).unref();
  return {
    async check() {
      await sayAgain();
      if (fault !== undefined) throw new StartError(fault);
    },
    fault: () => fault,
    leave,
  };
}

/** Nobody on another machine means this one by it. */
function isLoopback(address: string): boolean {
  return /^(localhost|127\..*|\[::1\])(:\d+)?$/.test(address);
}
