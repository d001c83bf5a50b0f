import type { ConnectionId } from "../../model.ts";
import type { Gathering, Ticking, TickMessage, TickPage, WakeUp } from "../../ports/ticks.ts";
import { MAX_PAGE_BYTES } from "../../ports/topic-log.ts";
import type { TopicKeys } from "../redis/keys.ts";
import { defineScript } from "../redis/script.ts";
import { entryOf, type RawEntry } from "./redis-entries.ts";
import { READ_ENTRIES } from "./redis-history.ts";
import { LUA } from "./redis-lua.ts";
import type { Run } from "./redis-run.ts";
import { CALL_LIFE_MS, SLACK_MS, TICK_LIFE_MS, TOPIC_RENEW_MS } from "./redis-times.ts";
import { tickingOf, wakeUpText } from "./redis-wake-ups.ts";

/** Of a page, about: so many small ones take the server some milliseconds, in which it does nothing else. */
const MAX_TICK_MESSAGES = 5_000;

/** Of what is ephemeral only the newest counts: what is kept of it, and bytes of what a tick reads. */
const MAX_GATHERED = 500;
const MAX_GATHERED_BYTES = 1024 * 1024;
/** Of one read. */
const READ_GATHERED = 50;

const GATHER = defineScript(
  "gather",
  `${LUA}
local call, row, wakeUp = KEYS[4], ARGV[3], ARGV[4]
local topic = open(${TOPIC_RENEW_MS})
local fields = claim(topic, wakeUp)
if redis.call('EXISTS', call) == 0 then
  redis.call('HSET', head, 'c', digits(topic.gathered + 1), unpack(fields))
  if redis.call('RPUSH', gathered, row) > ${MAX_GATHERED} then redis.call('LPOP', gathered) end
  redis.call('PEXPIRE', gathered, ${TICK_LIFE_MS + SLACK_MS})
  redis.call('SET', call, '', 'PX', ${CALL_LIFE_MS})
elseif #fields > 0 then
  redis.call('HSET', head, unpack(fields))
end
return { topic.epoch, topic.wakeUp, topic.handedOut }`,
);

const TICKING = defineScript(
  "ticking",
  `${LUA}
local topic = look()
return topic and topic.wakeUp and { topic.epoch, topic.wakeUp, topic.handedOut }`,
);

/** Both hold too where an earlier attempt of the same call came through, and its answer was lost: nobody else knows the new wake-up yet. */
const REPLACE = defineScript(
  "replaceWakeUp",
  `${LUA}
local from, to = ARGV[3], ARGV[4]
local topic = look()
if not topic or (topic.wakeUp ~= from and topic.wakeUp ~= to) then return 0 end
redis.call('HSET', head, 'w', to)
return 1`,
);

const CLAIM_TICK = defineScript(
  "claimTick",
  `${LUA}
local epoch, from, to, upTo, gatheredUpTo = ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local topic = look()
if not topic or topic.epoch ~= epoch or (topic.wakeUp ~= from and topic.wakeUp ~= to) then return 0 end
redis.call('HSET', head, 'w', to, 'd', upTo)
local left = math.max(0, topic.gathered - gatheredUpTo)
if left == 0 then redis.call('UNLINK', gathered) else redis.call('LTRIM', gathered, -left, -1) end
return 1`,
);

const END_TICKS = defineScript(
  "endTicks",
  `${LUA}
local epoch, from, upTo, gatheredUpTo = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local topic = look()
if not topic or topic.epoch ~= epoch or topic.wakeUp ~= from then return 0 end
if topic.last > upTo or topic.gathered > gatheredUpTo then return 0 end
redis.call('HDEL', head, 'w', 'd')
redis.call('UNLINK', gathered)
return 1`,
);

const READ_TICK = defineScript(
  "readTick",
  `${LUA}${READ_ENTRIES}
local epoch, after = ARGV[3], tonumber(ARGV[4])
local topic = look()
if not topic or topic.epoch ~= epoch then return false end
local entries = {}
if after < topic.last then entries = readEntries('XRANGE', digits(after + 1), '+', ${MAX_TICK_MESSAGES}, ${MAX_PAGE_BYTES}) end
local rows, bytes, isCut = {}, 0, false
local length = redis.call('LLEN', gathered)
while #rows < length and not isCut do
  local found = redis.call('LRANGE', gathered, -#rows - ${READ_GATHERED}, -#rows - 1)
  for i = #found, 1, -1 do
    bytes = bytes + #found[i]
    isCut = bytes > ${MAX_GATHERED_BYTES}
    if isCut then break end
    table.insert(rows, found[i])
  end
end
return { topic.last, topic.wakeUp or '', topic.handedOut, topic.gathered, entries, rows }`,
);

type TickAnswer = readonly [
  last: number,
  wakeUp: string,
  handedOut: number,
  gathered: number,
  entries: readonly RawEntry[],
  rows: readonly string[],
];

/** `Ticks`, of topics that are named by their keys. */
export interface RedisTicks {
  gather(topic: TopicKeys & { readonly call: string }, gathering: Gathering): Promise<Ticking>;
  ticking(topic: TopicKeys): Promise<Ticking | undefined>;
  replaceWakeUp(topic: TopicKeys, from: WakeUp, to: WakeUp): Promise<boolean>;
  readTick(topic: TopicKeys, epoch: string, after: number): Promise<TickPage | undefined>;
  claimTick(topic: TopicKeys, page: TickPage, next: WakeUp): Promise<boolean>;
  endTicks(topic: TopicKeys, page: TickPage): Promise<boolean>;
}

export function createRedisTicks(run: Run): RedisTicks {
  return {
    async gather({ all, call }, gathering) {
      const wakeUp = wakeUpText({ ...gathering.tick.wakeUp, isSent: false });
      const answer = await run(GATHER, [...all, call], [rowOf(gathering), wakeUp]);
      return tickingOf(...(answer as [string, string, number])) as Ticking;
    },

    async ticking({ all }) {
      const answer = (await run(TICKING, all, [])) as [string, string, number] | null;
      return answer === null ? undefined : tickingOf(...answer);
    },

    async replaceWakeUp({ all }, from, to) {
      return (await run(REPLACE, all, [wakeUpText(from), wakeUpText(to)])) === 1;
    },

    async readTick({ all }, epoch, after) {
      const answer = (await run(READ_TICK, all, [epoch, after])) as TickAnswer | null;
      return answer === null ? undefined : pageOf(answer, epoch, after);
    },

    async claimTick({ all }, { ticking, upTo, gatheredUpTo }, next) {
      if (ticking === undefined) return false;
      const args = [upTo.epoch, wakeUpText(ticking.wakeUp), wakeUpText(next), upTo.seq, gatheredUpTo];
      return (await run(CLAIM_TICK, all, args)) === 1;
    },

    async endTicks({ all }, { ticking, upTo, gatheredUpTo }) {
      if (ticking === undefined) return false;
      const args = [upTo.epoch, wakeUpText(ticking.wakeUp), upTo.seq, gatheredUpTo];
      return (await run(END_TICKS, all, args)) === 1;
    },
  };
}

function pageOf([last, wakeUp, handedOut, gathered, raw, rows]: TickAnswer, epoch: string, after: number): TickPage {
  const entries = raw.map(entryOf);
  const ticking = tickingOf(epoch, wakeUp, handedOut);
  const numbered = entries.flatMap(({ messages, except }) =>
    messages.filter(({ seq }) => seq > after).map((message) => ({ message, ...(except !== undefined && { except }) })),
  );
  const end = entries.at(-1)?.last ?? last;
  const isFull = end < last;
  const seq = isFull ? end : Math.max(after, last);
  return {
    ...(ticking !== undefined && { ticking }),
    numbered,
    upTo: { epoch, seq },
    isFull,
    gathered: [...rows].reverse().flatMap(gatheredOf),
    gatheredUpTo: gathered,
    isAll: !isFull,
  };
}

type Row = readonly [
  payloads: Gathering["payloads"],
  time: number,
  from: string | null,
  key: string | null,
  except: ConnectionId | null,
  latest: string | null,
];

function rowOf({ payloads, time, from, key, latest, tick }: Gathering): string {
  return JSON.stringify([payloads, time, from ?? null, key ?? null, tick.except ?? null, latest ?? null] satisfies Row);
}

function gatheredOf(text: string): TickMessage[] {
  const [payloads, time, from, key, except, latest] = JSON.parse(text) as Row;
  const marks = { ...(from !== null && { from }), time, ...(key !== null && { key }) };
  const about = { ...(except !== null && { except }), ...(latest !== null && { latest }) };
  return payloads.map((payload) => ({ message: { payload, ...marks }, ...about }));
}
