import type { Bug } from "./bugs.ts";

const DRIVERS = "packages/core/src/drivers";

/** Bugs in the drivers on Redis, most of them in what runs inside it, that the model must find. */
export const REDIS_BUGS: Readonly<Record<string, Bug>> = {
  "an append that forgets its key": {
    finds: /is at .* and at/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      {
        file: `${DRIVERS}/topic-log/redis-append.ts`,
        find: "redis.call('SET', call, row, 'PX', leftMs)",
        replace: "",
      },
    ],
  },
  "a history whose first message is left out": {
    finds: /never emitted/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      {
        file: `${DRIVERS}/topic-log/redis-history.ts`,
        find: "if first > seq + 1 then return answer(false) end",
        replace: "table.remove(entries, 1)",
      },
    ],
  },
  "an epoch kept after DELETE": {
    finds: /which was deleted/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      {
        file: `${DRIVERS}/topic-log/redis.ts`,
        find: "if look() then begin() end",
        replace:
          "local topic = look() if topic then newEpoch = topic.epoch begin() redis.call('HSET', head, 'n', topic.last) end",
      },
    ],
  },
  "a page that skips a subscriber": {
    finds: /never got .* live/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      {
        file: `${DRIVERS}/connection-store/redis-members.ts`,
        find: "const lastName = members.at(-1)?.name;",
        replace: "const lastName = found.map(memberOf).at(-1)?.name;",
      },
    ],
  },
  "a tick that misses a message": {
    finds: /never got .* live/,
    foundIn: { seed: 1, path: "0" },
    patches: [
      {
        file: `${DRIVERS}/topic-log/redis-ticks.ts`,
        find: "readEntries('XRANGE', digits(after + 1)",
        replace: "readEntries('XRANGE', digits(after + 2)",
      },
    ],
  },
};
