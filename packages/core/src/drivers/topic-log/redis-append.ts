import { type Appended, type Batch, KEY_LIFE_MS, type Retention } from "../../ports/topic-log.ts";
import type { TopicKeys } from "../redis/keys.ts";
import { defineScript } from "../redis/script.ts";
import { messagesOf } from "./content.ts";
import { attributesOf, type KeptBatch, parseKept } from "./redis-entries.ts";
import { LUA } from "./redis-lua.ts";
import type { Run } from "./redis-run.ts";
import { CALL_LIFE_MS, SLACK_MS, TICK_LIFE_MS, TOPIC_RENEW_MS } from "./redis-times.ts";
import { tickingOf, wakeUpText } from "./redis-wake-ups.ts";

/** Outdated entries are looked for once in so many numbers. */
const TRIM_EVERY = 16;
/** The most that is looked at then, in reads of a few: more than came since, so that a backlog goes. */
const TRIM_READS = 16;
const TRIM_READ_ENTRIES = 4;

const TRIM = `
local function trim(topic, maxMessages, maxAgeMs)
  local upTo = topic.wakeUp and topic.handedOut or topic.last
  local outdated = topic.last - topic.void - maxMessages
  local from = '-'
  for _ = 1, ${TRIM_READS} do
    local entries = redis.call('XRANGE', log, from, '+', 'COUNT', ${TRIM_READ_ENTRIES})
    local gone = 0
    for _, entry in ipairs(entries) do
      local last, _, fields = read(entry)
      local time = tonumber(string.match(fields.a, '^%[(%d+)'))
      if last > upTo or (last - tonumber(fields.v) > outdated and time > now - maxAgeMs) then break end
      gone = gone + 1
      from = digits(last + 1)
    end
    if gone < ${TRIM_READ_ENTRIES} then break end
  end
  if from ~= '-' then redis.call('XTRIM', log, 'MINID', from) end
end
`;

/** Numbers a batch, keeps it, and remembers the call, all in one step; where the call is remembered, it only answers. */
const APPEND = defineScript(
  "append",
  `${LUA}${TRIM}
local call, lifeMs, leftMs, count, attributes, payloads = KEYS[4], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local isKeyed, maxMessages, maxAgeMs, wakeUp = ARGV[8] == '1', tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11]

local known = redis.call('GET', call)
if known and tonumber(string.match(known, '^%d+')) > now then
  -- Without a key nobody asks but who sent it already; what was done here before the topic left isn't to be done again where it went.
  local topic = isKeyed and look() or row()
  return { 'known', known, topic and topic.epoch or '' }
end

local topic, fields, skipped = skipLost(open(${TOPIC_RENEW_MS}), count)
for _, each in ipairs(claim(topic, wakeUp)) do table.insert(fields, each) end
local before = topic.last
topic.last = before + count
redis.call('HSET', head, 'n', digits(topic.last), unpack(fields))

if topic.wakeUp or (maxMessages > 0 and maxAgeMs > 0) then
  if skipped > 0 then addVoid(before, topic.void, skipped) end
  redis.call('XADD', log, digits(topic.last) .. '-' .. count, 'a', attributes, 'v', digits(topic.void), 'm', payloads)
  if math.floor(topic.last / ${TRIM_EVERY}) > math.floor(before / ${TRIM_EVERY}) then trim(topic, maxMessages, maxAgeMs) end
  redis.call('PEXPIRE', log, math.max(maxAgeMs, topic.wakeUp and ${TICK_LIFE_MS} or 0) + ${SLACK_MS})
else
  -- What is kept has no hole.
  redis.call('UNLINK', log)
end
local row = table.concat({ digits(now + lifeMs), topic.epoch, digits(topic.last), count }, ' ')
if isKeyed then row = row .. '\\n' .. attributes .. '\\n' .. payloads end
redis.call('SET', call, row, 'PX', leftMs)
return { 'new', topic.epoch, topic.last, topic.wakeUp or '', topic.handedOut }`,
);

type Answer =
  | readonly ["known", kept: string, epoch: string]
  | readonly ["new", epoch: string, last: number, wakeUp: string, handedOut: number];

/** `call`: the key of what the batch is remembered by, its idempotency key or, so that it isn't appended twice where the answer is lost, the call. */
export async function append(
  run: Run,
  { all, call }: TopicKeys & { readonly call: string },
  batch: Batch,
  retention: Retention,
): Promise<Appended> {
  const { payloads, key, tick } = batch;
  const life = key === undefined ? [CALL_LIFE_MS, CALL_LIFE_MS] : [KEY_LIFE_MS, KEY_LIFE_MS + SLACK_MS];
  const kept = [...life, payloads.length, attributesOf(batch), JSON.stringify(payloads), key === undefined ? 0 : 1];
  const wakeUp = tick === undefined ? "" : wakeUpText({ ...tick.wakeUp, isSent: false });
  const rules = [retention.maxMessages, retention.maxAgeMs, wakeUp];
  const answer = (await run(APPEND, [...all, call], [...kept, ...rules])) as Answer;
  if (answer[0] === "known") return repeated(parseKept(answer[1]), answer[2], batch);
  const [, epoch, seq, current, handedOut] = answer;
  const messages = messagesOf(seq - payloads.length + 1, { ...batch, key: key?.value });
  const ticking = tick && tickingOf(epoch, current, handedOut);
  return { place: { epoch, seq }, messages, ...(ticking !== undefined && { ticking }) };
}

/** `epoch`: the topic's now. */
function repeated(kept: KeptBatch, epoch: string, batch: Batch): Appended {
  const { place, count, content } = kept;
  if (place.epoch !== epoch) return { place, messages: [] };
  return { place, messages: messagesOf(place.seq - count + 1, content ?? { ...batch, key: undefined }) };
}
