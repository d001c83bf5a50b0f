import { MAX_BATCH, type Place } from "@topicast/protocol";
import type { LatestPage, LogPage, PageOptions } from "../../ports/topic-log.ts";
import type { TopicKeys } from "../redis/keys.ts";
import { defineScript } from "../redis/script.ts";
import { entryOf, type RawEntry } from "./redis-entries.ts";
import { LUA } from "./redis-lua.ts";
import { bytesOfEntries, fill, keeping, positioned } from "./redis-pages.ts";
import type { Run } from "./redis-run.ts";
import { TOPIC_LIFE_LEFT_MS } from "./redis-times.ts";

/** Entries of the first read, and of the longest. */
const FIRST_READ_ENTRIES = 8;
const MAX_READ_ENTRIES = 64;

/**
 * Reads entries until they have so many messages, or more bytes than this and at least two messages, so that one which doesn't fit is among them; in reads as
 * long as a page needs by the size of the entries so far.
 */
export const READ_ENTRIES = `
local function readEntries(command, from, to, limit, maxBytes)
  local entries, messages, bytes, size = {}, 0, 0, ${FIRST_READ_ENTRIES}
  while true do
    local found = redis.call(command, log, from, to, 'COUNT', size)
    for _, entry in ipairs(found) do
      local _, count, fields = read(entry)
      table.insert(entries, entry)
      if fields.m then messages, bytes = messages + count, bytes + #fields.m end
      if messages >= limit or (bytes > maxBytes and messages > 1) then return entries end
    end
    if #found < size then return entries end
    from = '(' .. found[#found][1]
    size = math.max(1, math.min(${MAX_READ_ENTRIES}, math.ceil((maxBytes - bytes) * #entries / math.max(1, bytes))))
  end
end
`;

const PLACE = defineScript(
  "place",
  `${LUA}local topic = open(${TOPIC_LIFE_LEFT_MS}) return { topic.epoch, topic.last }`,
);

/** Where a place is one that was given and is gone, so are messages that were acknowledged: a new epoch tells everybody. */
const READ_SINCE = defineScript(
  "readSince",
  `${LUA}${READ_ENTRIES}
local epoch, seq, limit, maxBytes = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local topic = open(${TOPIC_LIFE_LEFT_MS})
local function answer(entries) return { topic.epoch, topic.last, topic.void, entries } end
if epoch ~= topic.epoch then return answer(false) end
if seq > topic.last then
  if topic.void > 0 or topic.lineage ~= lineage() then topic = begin() end
  return answer(false)
end
if seq == topic.last then return answer({}) end
local entries = readEntries('XRANGE', digits(seq + 1), '+', limit, maxBytes)
if #entries == 0 then return answer(false) end
local last, count, fields = read(entries[1])
local first = last - count + 1
if first > seq + 1 then return answer(false) end
if not fields.m and seq >= first then
  topic = begin()
  return answer(false)
end
return answer(entries)`,
);

const READ_LATEST = defineScript(
  "readLatest",
  `${LUA}${READ_ENTRIES}
local topic = open(${TOPIC_LIFE_LEFT_MS})
local limit = tonumber(ARGV[3])
local entries = limit > 0 and readEntries('XREVRANGE', '+', '-', limit, tonumber(ARGV[4])) or {}
return { topic.epoch, topic.last, topic.void, entries }`,
);

/** `entries`: null where a place isn't to be found. */
type Answer = readonly [epoch: string, last: number, void: number, entries: readonly RawEntry[] | null];

export interface RedisHistory {
  place(topic: TopicKeys): Promise<Place>;
  readSince(topic: TopicKeys, since: Place, options: PageOptions): Promise<LogPage>;
  readLatest(topic: TopicKeys, options: PageOptions): Promise<LatestPage>;
}

/** `now`: Unix ms. */
export function createHistory(run: Run, now: () => number): RedisHistory {
  return {
    async place({ all }) {
      const [epoch, seq] = (await run(PLACE, all, [])) as [string, number];
      return { epoch, seq };
    },

    async readSince({ all }, since, { limit, retention }) {
      const args = [since.epoch, since.seq, limit + MAX_BATCH, bytesOfEntries(limit)];
      const [epoch, last, voids, entries] = (await run(READ_SINCE, all, args)) as Answer;
      const place = { epoch, seq: last };
      if (entries === null) return { recovered: false, place };
      const found = entries
        .map(entryOf)
        .flatMap(positioned)
        .filter(({ message }) => message.seq > since.seq);
      const [first] = found;
      if (first !== undefined && !keeping(retention, last - voids, now())(first)) return { recovered: false, place };
      const { messages } = fill(found, limit);
      return { recovered: true, place, messages, more: (messages.at(-1)?.seq ?? since.seq) < last };
    },

    async readLatest({ all }, { limit, retention }) {
      const args = [Math.min(limit, retention.maxMessages), bytesOfEntries(limit)];
      const [epoch, last, voids, entries] = (await run(READ_LATEST, all, args)) as Answer;
      const found = (entries ?? []).map(entryOf).flatMap((entry) => positioned(entry).reverse());
      const isKept = keeping(retention, last - voids, now());
      const end = found.findIndex((each) => !isKept(each));
      const { messages, more } = fill(end < 0 ? found : found.slice(0, end), limit);
      return { place: { epoch, seq: last }, messages: messages.reverse(), more };
    },
  };
}
