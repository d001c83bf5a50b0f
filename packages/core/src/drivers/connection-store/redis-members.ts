import type { ConnectionId, Subscriber, Target } from "../../model.ts";
import { EXPIRED_KEPT_MS } from "../../ports/connection-store.ts";
import { callRedis } from "../redis/call.ts";
import type { Redis } from "../redis/client.ts";
import { sendCommand } from "../redis/command.ts";
import { EXPIRY_SLACK_MS } from "../redis/keys.ts";
import { defineScript, runScript } from "../redis/script.ts";

/** Ends a member's name; no other character of an id or a slot sorts before it, so that members sort by their names. */
const END = "\0";
/** Sorts behind {@link END}, before every character of a name. */
const AFTER_END = "\u0001";

/**
 * A sorted set of connections, all of one score, so that it sorts by bytes: a walk goes on behind the name it has read last, whoever comes or goes.
 * A member is `{name}\0{subscribedAt} {connectedAt} {validUntil}`, and ` {address}` where that isn't the store's own.
 */
export interface Members {
  /** Whether there was none of the same name; otherwise replaces it, and `subscribedAt` is later than that one's. */
  enter(key: string, name: string, target: Omit<Target, "id">, validUntil: number): Promise<boolean>;
  /** Whether it was there. */
  leave(key: string, name: string): Promise<boolean>;
  /** Whether it was there, with that `subscribedAt`. */
  end(key: string, name: string, subscribedAt: number): Promise<boolean>;
  has(key: string, name: string): Promise<boolean>;
  page(key: string, query: MembersQuery): Promise<MembersPage>;
}

export interface MembersQuery {
  /** Names from the first on, and before the second. */
  readonly between?: readonly [string, string] | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface Member extends Omit<Subscriber, "id"> {
  readonly name: string;
}

export interface MembersPage {
  readonly members: readonly Member[];
  readonly cursor?: string;
}

export interface MembersOptions {
  readonly redis: Redis;
  /** Unix ms. */
  readonly now: () => number;
  /** Left out of members; absent in one means this one. */
  readonly address: string | undefined;
}

/**
 * Looks at the next two members as well and removes those that nobody may ask for any more: so each who comes makes up for up to two who never
 * left, wherever they are, because names are spread evenly.
 * KEYS the set. ARGV name, now, the rest of the member behind `subscribedAt`, for how many ms the key must live from now on, and for how
 * many it is to where it has less: seldom, because each newcomer would move its end.
 */
const ENTER = defineScript(
  "enter",
  `
local key, name, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local at, isNew = now, 1
for _, member in ipairs(redis.call('ZRANGEBYLEX', key, '[' .. name .. '\\0', '+', 'LIMIT', 0, 3)) do
  local is, since, untl = string.match(member, '^(.-)%z(%d+) %d+ (%d+)')
  if is == name then
    at, isNew = math.max(at, since + 1), 0
    redis.call('ZREM', key, member)
  elseif untl + ${EXPIRED_KEPT_MS} <= now then
    redis.call('ZREM', key, member)
  end
end
redis.call('ZADD', key, 0, name .. '\\0' .. string.format('%.0f', at) .. ' ' .. ARGV[3])
if redis.call('PTTL', key) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', key, ARGV[5])
end
return isNew`,
);

export function createMembers({ redis, now, address: ownAddress }: MembersOptions): Members {
  function memberOf(text: string): Member {
    const end = text.indexOf(END);
    const [subscribedAt, connectedAt, validUntil, address = ownAddress] = text.slice(end + 1).split(" ");
    return {
      name: text.slice(0, end),
      address: address as string,
      connectedAt: Number(connectedAt),
      subscribedAt: Number(subscribedAt),
      validUntil: Number(validUntil),
    };
  }

  async function removeBetween(key: string, first: string, last: string): Promise<boolean> {
    return Number(await callRedis(redis, () => sendCommand(redis, "zremrangebylex", key, [first, last]))) > 0;
  }

  return {
    async enter(key, name, { address, connectedAt }, validUntil) {
      const rest = `${connectedAt} ${validUntil}${address === ownAddress ? "" : ` ${address}`}`;
      const leftMs = Math.max(0, validUntil - now());
      return (
        (await runScript(
          redis,
          ENTER,
          [key],
          [name, now(), rest, leftMs + EXPIRED_KEPT_MS, leftMs + EXPIRY_SLACK_MS],
        )) === 1
      );
    },

    async leave(key, name) {
      const [first, last] = boundsOf(name);
      return removeBetween(key, first, last);
    },

    async end(key, name, subscribedAt) {
      const start = `${name}${END}${subscribedAt}`;
      // "!" follows the space that ends the number.
      return removeBetween(key, `[${start} `, `(${start}!`);
    },

    async has(key, name) {
      const [first, last] = boundsOf(name);
      return Number(await callRedis(redis, () => sendCommand(redis, "zlexcount", key, [first, last]))) > 0;
    },

    async page(key, { between, cursor, limit }) {
      const first = cursor === undefined ? between && `[${between[0]}` : `(${cursor}${AFTER_END}`;
      const last = between && `(${between[1]}`;
      // One more than asked for tells whether more follow.
      const range = [first ?? "-", last ?? "+", "LIMIT", 0, limit + 1];
      const found = (await callRedis(redis, () => sendCommand(redis, "zrangebylex", key, range))) as readonly string[];
      const members = found.slice(0, limit).map(memberOf);
      const lastName = members.at(-1)?.name;
      return { members, ...(found.length > limit && lastName !== undefined && { cursor: lastName }) };
    },
  };
}

/** Of all that a member of that name may be. */
function boundsOf(name: string): readonly [first: string, last: string] {
  return [`[${name}${END}`, `(${name}${AFTER_END}`];
}

/** Without the name, which only the set's owner can tell an id from. */
export function targetOf(id: ConnectionId, { address, connectedAt }: Member): Target {
  return { id, address, connectedAt };
}
