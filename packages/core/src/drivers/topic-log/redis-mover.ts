import type { Topic } from "@topicast/protocol";
import type { AppId } from "../../model.ts";
import type { TickMessage } from "../../ports/ticks.ts";
import type { Luggage, MovedRange, TopicMover, TopicState } from "../../ports/topic-mover.ts";
import { appendKey, type TopicKeys, topicKeys } from "../redis/keys.ts";
import { defineScript } from "../redis/script.ts";
import { topicHash } from "../topic-hash.ts";
import { messagesOf } from "./content.ts";
import { entryOf, parseKept, type RawEntry } from "./redis-entries.ts";
import { READ_ENTRIES } from "./redis-history.ts";
import { LUA } from "./redis-lua.ts";
import { bytesOfEntries, fill, keeping, positioned } from "./redis-pages.ts";
import type { Run } from "./redis-run.ts";
import { SLACK_MS, TOPIC_LIFE_MS } from "./redis-times.ts";
import { tickingOf, wakeUpText } from "./redis-wake-ups.ts";

const GENERATION = `local generation = tonumber(redis.call('HGET', head, 'j') or 0)\n`;

const LOOK = defineScript(
  "look",
  `${LUA}
local topic = row()
if not topic then return false end
local f = redis.call('HMGET', head, 'j', 'f', 'm')
return { topic.epoch, digits(topic.last), digits(topic.expiresAt), topic.owner or '', f[1] or '0', f[2] or '0', f[3] or '' }`,
);

/** Writes the first time that its life ends as it did anyway: after that a server without memory refuses nothing, and a topic can leave it. */
const EVEN_WHERE_FULL = `redis.call('PEXPIRE', head, math.max(1, redis.call('PTTL', head)))\n`;

/** Where it may have lost numbers it leaves out some, as an append does. */
const SEAL = defineScript(
  "seal",
  `${LUA}${GENERATION}
local topic = row()
if not topic or generation ~= tonumber(ARGV[3]) then return false end
if not topic.owner then
  ${EVEN_WHERE_FULL}
  local fields, skipped
  topic, fields, skipped = skipLost(topic, 0)
  redis.call('HSET', head, 'o', 1, 'n', digits(topic.last), unpack(fields))
  if skipped > 0 and redis.call('EXISTS', log) == 1 then addVoid(topic.last, topic.void, skipped) end
end
return { topic.epoch, digits(topic.last), topic.wakeUp or '', topic.handedOut, topic.gathered }`,
);

const LET_GO = defineScript(
  "letGo",
  `${LUA}${GENERATION}
local topic = row()
if topic and topic.owner and generation == tonumber(ARGV[3]) then
  ${EVEN_WHERE_FULL}
  redis.call('HSET', head, 'o', 2)
end`,
);

/** As it is sealed elsewhere already, it must have a place here even where there is no memory: it can leave again then. */
const TAKE_OVER = defineScript(
  "takeOver",
  `${LUA}${GENERATION}
local epoch, last, next, gatheredLast, wakeUp, handedOut = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8]
local topic = row()
if topic and (not topic.owner or generation >= next) then return end
redis.call('UNLINK', log, gathered)
redis.call('HSET', head, 'e', epoch, 'n', last, 'f', last, 'j', next, 'm', digits(now), 'r', lineage(), 'x', digits(now + ${TOPIC_LIFE_MS}))
redis.call('HDEL', head, 'o', 'v', 'w', 'd')
redis.call('HSET', head, 'c', gatheredLast)
if wakeUp ~= '' then redis.call('HSET', head, 'w', wakeUp, 'd', handedOut) end
redis.call('PEXPIRE', head, ${TOPIC_LIFE_MS + SLACK_MS})`,
);

const DISCARD = defineScript(
  "discard",
  `${LUA}
local topic = row()
if topic and not topic.owner and topic.epoch == ARGV[3] and topic.last == tonumber(ARGV[4]) then
  redis.call('UNLINK', head, log, gathered)
end`,
);

const FIND = defineScript(
  "findKeyed",
  `${LUA}
local known = redis.call('GET', KEYS[4])
return known and tonumber(string.match(known, '^%d+')) > now and known`,
);

const READ = defineScript(
  "readMoved",
  `${LUA}${READ_ENTRIES}
local topic = row()
if not topic or topic.epoch ~= ARGV[3] then return false end
local command, from, to = ARGV[4], ARGV[5], ARGV[6]
return { digits(topic.last), digits(topic.void), readEntries(command, from, to, tonumber(ARGV[7]), tonumber(ARGV[8])) }`,
);

type Sealed = readonly [epoch: string, last: string, wakeUp: string, handedOut: number, gathered: number];

type Read = readonly [last: string, voids: string, entries: readonly RawEntry[]];

/** Far more than one tick's. */
const ALL = 1_000_000_000;

/** `TopicMover` in scripts: whether a topic is here stands in its hash, which each script of the log looks at. */
export function createRedisMover(run: Run, now: () => number): TopicMover {
  const keysOf = (app: AppId, topic: Topic) => topicKeys(topicHash(app, topic));

  /** What there is of a range, in whole entries, from its first or its last on; undefined where the topic is another one. */
  async function read(keys: TopicKeys, range: MovedRange, order: "first" | "last", limit: number, maxBytes: number) {
    const bounds = [`${range.after + 1}`, `${range.upTo}`];
    const command = order === "first" ? ["XRANGE", ...bounds] : ["XREVRANGE", ...bounds.reverse()];
    const answer = (await run(READ, keys.all, [range.epoch, ...command, limit, maxBytes])) as Read | null;
    if (answer === null) return undefined;
    const [last, voids, entries] = answer;
    return { messages: Number(last) - Number(voids), entries: entries.map(entryOf) };
  }

  return {
    async look(app, topic) {
      const answer = (await run(LOOK, keysOf(app, topic).all, [])) as readonly string[] | null;
      return answer === null ? undefined : stateOf(answer);
    },

    async seal(app, topic, generation) {
      const answer = (await run(SEAL, keysOf(app, topic).all, [generation])) as Sealed | null;
      if (answer === null) return undefined;
      const [epoch, last, wakeUp, handedOut, gathered] = answer;
      const ticking = tickingOf(epoch, wakeUp, handedOut);
      return { place: { epoch, seq: Number(last) }, generation, gathered, ...(ticking !== undefined && { ticking }) };
    },

    async letGo(app, topic, generation) {
      await run(LET_GO, keysOf(app, topic).all, [generation]);
    },

    async takeOver(app, topic, { place, generation, gathered, ticking }: Luggage) {
      const wakeUp = ticking === undefined ? ["", 0] : [wakeUpText(ticking.wakeUp), ticking.place.seq];
      await run(TAKE_OVER, keysOf(app, topic).all, [place.epoch, place.seq, generation + 1, gathered, ...wakeUp]);
    },

    async discard(app, topic, { epoch, seq }) {
      await run(DISCARD, keysOf(app, topic).all, [epoch, seq]);
    },

    async findKeyed(app, topic, key) {
      const hash = topicHash(app, topic);
      const kept = (await run(FIND, [...topicKeys(hash).all, appendKey(hash, key)], [])) as string | null;
      if (kept === null) return undefined;
      const { place, count, content } = parseKept(kept);
      return { place, messages: content === undefined ? [] : messagesOf(place.seq - count + 1, content) };
    },

    async readMoved(app, topic, range, options) {
      const found = await read(keysOf(app, topic), range, "first", options.limit, bytesOfEntries(options.limit));
      const [first] = found?.entries ?? [];
      if (found === undefined || first === undefined || first.first > range.after + 1) return undefined;
      // A place among numbers that were left out proves that something is gone.
      if (first.messages.length === 0 && range.after >= first.first) return undefined;
      const isKept = keeping(options.retention, found.messages, now());
      const all = found.entries.flatMap(positioned).filter(({ message }) => message.seq > range.after);
      if (all[0] !== undefined && !isKept(all[0])) return undefined;
      const { messages } = fill(all, options.limit);
      return { messages, more: (messages.at(-1)?.seq ?? range.upTo) < range.upTo };
    },

    async readMovedLatest(app, topic, range, options) {
      const found = await read(keysOf(app, topic), range, "last", options.limit, bytesOfEntries(options.limit));
      if (found === undefined) return { messages: [], more: false };
      const isKept = keeping(options.retention, found.messages, now());
      const all = found.entries.flatMap((entry) => positioned(entry).reverse());
      const end = all.findIndex((each) => !isKept(each) || each.message.seq <= range.after);
      const { messages, more } = fill(end < 0 ? all : all.slice(0, end), options.limit);
      return { messages: messages.reverse(), more };
    },

    async readMovedTick(app, topic, range) {
      const found = await read(keysOf(app, topic), range, "first", ALL, ALL);
      return (found?.entries ?? []).flatMap(({ messages, except }): TickMessage[] =>
        messages
          .filter(({ seq }) => seq > range.after)
          .map((message) => ({ message, ...(except !== undefined && { except }) })),
      );
    },
  };
}

function stateOf([epoch = "", last, expiresAt, owner, generation, floor, movedAt]: readonly string[]): TopicState {
  return {
    last: { epoch, seq: Number(last) },
    generation: Number(generation),
    floor: Number(floor),
    ...(movedAt !== "" && { movedAt: Number(movedAt) }),
    activeAt: Number(expiresAt) - TOPIC_LIFE_MS,
    isSealed: owner !== "",
    isGone: owner === "2",
  };
}
