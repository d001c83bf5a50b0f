import { EXPIRY_SLACK_MS } from "../redis/keys.ts";
import { defineScript } from "../redis/script.ts";

/*
 * KEYS: the application's hash, the names of all, when those end that do. ARGV: now, the application's name, and what each says.
 */

/** Whether there is one. */
const IS_ALIVE = `
local function isAlive()
  local id, e = unpack(redis.call('HMGET', KEYS[1], 'i', 'e'))
  return id and (not e or tonumber(e) > tonumber(ARGV[1])), id
end
`;

/** Has it among the names, and all else know when it ends, as its hash says. */
const ENLIST = `
local function enlist()
  redis.call('ZADD', KEYS[2], 0, ARGV[2])
  local e = redis.call('HGET', KEYS[1], 'e')
  if e then
    redis.call('ZADD', KEYS[3], e, ARGV[2])
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(tonumber(e) - tonumber(ARGV[1]), 0) + ${EXPIRY_SLACK_MS}))
  else
    redis.call('ZREM', KEYS[3], ARGV[2])
    redis.call('PERSIST', KEYS[1])
  end
end
`;

/** ARGV: its id, and its fields. 1, or 0 where there is another of the name. */
export const CREATE = defineScript(
  "application-create",
  `${IS_ALIVE}${ENLIST}
local alive, id = isAlive()
if alive and id ~= ARGV[3] then return 0 end
-- First what full memory refuses: behind another write it would not.
redis.call('ZADD', KEYS[2], 0, ARGV[2])
-- Names of what has ended go as others come, a few at a time.
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1], 'LIMIT', 0, 16)) do
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
enlist()
return 1
`,
);

/** ARGV: fields, those that go with nothing. The hash as it is after, or null where there is none. */
export const CHANGE = defineScript(
  "application-change",
  `${IS_ALIVE}${ENLIST}
if not isAlive() then return false end
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
  else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
enlist()
return redis.call('HGETALL', KEYS[1])
`,
);

/** ARGV: the key's field and text, and how many others there may be. */
export const ADD_KEY = defineScript(
  "application-add-key",
  `${IS_ALIVE}
if not isAlive() then return 'unknown_application' end
local others = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'k/' and field ~= ARGV[3] then others = others + 1 end
end
if others >= tonumber(ARGV[5]) then return 'too_many_keys' end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
return 'added'
`,
);

/** ARGV: the key's field. 1, or 0 where there was none. */
export const REMOVE_KEY = defineScript(
  "application-remove-key",
  `${IS_ALIVE}
return isAlive() and redis.call('HDEL', KEYS[1], ARGV[3]) or 0
`,
);

/** 1, or 0 where there was none. */
export const REMOVE = defineScript(
  "application-remove",
  `${IS_ALIVE}
local was = isAlive() and 1 or 0
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[2])
return was
`,
);
