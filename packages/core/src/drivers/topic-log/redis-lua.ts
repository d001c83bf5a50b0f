import { SLACK_MS, TOPIC_LIFE_MS } from "./redis-times.ts";

/** Numbers that are left out at least where the lineage changed: more than a topic can get in the time whose writes Redis may lose. */
const MIN_SKIPPED = 1_000_000_000;
/**
 * And as many more as these hexadecimal digits of the lineage say: of two servers that go on from one state, each leaves out others. Up to 18 million million, so
 * that an epoch bears some hundred changes.
 */
const LINEAGE_DIGITS = 11;
/** Below the largest safe integer. Behind it a new epoch begins. */
const MAX_NUMBER = 9e15;

/** What a script fails with where another store has the topic. */
export const TOPIC_MOVED = "TOPIC_MOVED";

/**
 * What every script of the log begins with. Its keys are the topic's own, as `topicKeys` gives them, and its first arguments the time in Unix ms, and an epoch
 * for the case that one begins. Where a script writes, its first write is one that a server without memory refuses: it does all or nothing.
 */
export const LUA = `
local head, log, gathered = KEYS[1], KEYS[2], KEYS[3]
local now, newEpoch = tonumber(ARGV[1]), ARGV[2]

-- By itself Lua writes 1e+15.
local function digits(number) return string.format('%.0f', number) end

-- Another one since the server began, or took over from another: what was written before, it may have lost.
local function lineage()
  local info = redis.call('INFO', 'replication')
  local _, at = string.find(info, 'master_replid:', 1, true)
  if not at then error('INFO replication says no master_replid') end
  return string.sub(info, at + 1, at + 40)
end

-- nil where there is no topic.
local function row()
  local f = redis.call('HMGET', head, 'e', 'x', 'n', 'v', 'r', 'w', 'd', 'c', 'o')
  local expiresAt = tonumber(f[2] or 0)
  if expiresAt <= now then return nil end
  return { epoch = f[1], expiresAt = expiresAt, last = tonumber(f[3]), void = tonumber(f[4] or 0), lineage = f[5],
    wakeUp = f[6], handedOut = tonumber(f[7] or 0), gathered = tonumber(f[8] or 0), owner = f[9] }
end

-- The same of a topic that is here: with another owner it is one that moved.
local function look()
  local topic = row()
  if topic and topic.owner then error('${TOPIC_MOVED}') end
  return topic
end

local function begin()
  redis.call('HSET', head, 'e', newEpoch, 'n', 0, 'r', lineage(), 'x', digits(now + ${TOPIC_LIFE_MS}))
  redis.call('HDEL', head, 'v', 'w', 'd', 'c', 'f', 'o')
  redis.call('PEXPIRE', head, ${TOPIC_LIFE_MS + SLACK_MS})
  redis.call('UNLINK', log, gathered)
  return look()
end

-- Begins the topic where there is none; one that has no more than this of its life left gets all of it.
local function open(left)
  local topic = look()
  if not topic then return begin() end
  if topic.expiresAt - now <= left then
    redis.call('HSET', head, 'x', digits(now + ${TOPIC_LIFE_MS}))
    redis.call('PEXPIRE', head, ${TOPIC_LIFE_MS + SLACK_MS})
  end
  return topic
end

-- Leaves out numbers where the server may have lost some. The topic as it is then, or a new one where it has no room for so many and as many more as are to come;
-- the fields that are to be written; and how many were left out.
local function skipLost(topic, toCome)
  local server = lineage()
  local isSame = topic.lineage == server
  local skipped = isSame and 0 or ${MIN_SKIPPED} + tonumber(string.sub(server, 1, ${LINEAGE_DIGITS}), 16)
  if topic.last + skipped + toCome > ${MAX_NUMBER} then return begin(), {}, 0 end
  if isSame then return topic, {}, 0 end
  topic.last, topic.void = topic.last + skipped, topic.void + skipped
  return topic, { 'v', digits(topic.void), 'r', server }, skipped
end

-- Keeps that many numbers up to that one as void; with those before it, so many of the epoch are void.
local function addVoid(last, void, count)
  redis.call('XADD', log, digits(last) .. '-' .. digits(count), 'a', '[' .. digits(now) .. ']', 'v', digits(void))
end

-- An entry's last number, how many it holds, and its fields.
local function read(entry)
  local last, count = string.match(entry[1], '^(%d+)-(%d+)$')
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  return tonumber(last), tonumber(count), fields
end

-- Gives a topic without a wake-up this one, where it isn't empty; the topic changes, and its fields that are to be written are returned.
local function claim(topic, wakeUp)
  if wakeUp == '' or topic.wakeUp then return {} end
  topic.wakeUp, topic.handedOut = wakeUp, topic.last
  return { 'w', wakeUp, 'd', digits(topic.last) }
end
`;
