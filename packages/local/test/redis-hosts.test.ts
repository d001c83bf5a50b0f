import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { connectRedis, type Redis } from "@topicast/core/redis";
import { aKeyPrefix, type RedisServer, settle, startRedisServer } from "@topicast/testing";
import { StartError } from "../src/index.ts";
import { type HostPlace, joinHosts, type Membership } from "../src/redis-hosts.ts";
import { createSharedStores } from "../src/shared-stores.ts";

const SAID_EVERY_MS = 10_000;

let server: RedisServer;
let redis: Redis;
let log: string[];
let members: Membership[];
beforeAll(async () => {
  server = await startRedisServer();
});
beforeEach(() => {
  redis = connectRedis(server.url, { keyPrefix: aKeyPrefix() });
  log = [];
  members = [];
});
afterEach(async () => {
  await Promise.all(members.map((member) => member.leave()));
  redis.disconnect();
});
afterAll(() => server.stop());

const HERE: HostPlace = { doors: "open", address: "192.168.1.5:4000", machine: "one" };
const THERE: HostPlace = { ...HERE, address: "192.168.1.6:4000", machine: "two" };

async function join(place: HostPlace): Promise<Membership> {
  const member = await joinHosts({ redis, log: (line) => log.push(line), ...place });
  members.push(member);
  return member;
}

/** As for a host that was away for longer than it counts: others don't see it any more. */
async function forgetAll(): Promise<void> {
  expect(await redis.del("members")).toBe(1);
}

const OTHER_DOORS = /^Hosts on this Redis run with other keys, or without --auth: /;
const OTHER_MACHINE = /^Hosts on this Redis run on another machine, and can't reach this one, or it them: /;

describe("hosts on one Redis", () => {
  it.each<[string, HostPlace]>([
    ["on one machine", { ...HERE, address: "192.168.1.5:4001" }],
    ["on two machines", THERE],
  ])("go together %s, each with an address of its own", async (_where, other) => {
    await join(HERE);
    await (await join(other)).check();
  });

  it("go together on the loopback addresses of one machine", async () => {
    await join({ ...HERE, address: "127.0.0.1:4000" });
    await (await join({ ...HERE, address: "localhost:4001" })).check();
  });

  it.each<[string, HostPlace, RegExp]>([
    ["has other doors", { ...THERE, doors: "closed" }, OTHER_DOORS],
    ["is on another machine and has the same address", { ...THERE, address: HERE.address }, OTHER_MACHINE],
    ["is on another machine and listens there alone", { ...THERE, address: "127.0.0.1:4001" }, OTHER_MACHINE],
    ["is on another machine and listens on all its addresses", { ...THERE, address: "localhost:4001" }, OTHER_MACHINE],
  ])("refuse one that %s", async (_what, other, message) => {
    const first = await join(HERE);
    const joining = join(other);
    await expect(joining).rejects.toThrow(StartError);
    await expect(joining).rejects.toThrow(message);
    await first.check();
    // It left no trace either, in the way of a third.
    await join({ ...HERE, address: "192.168.1.5:4002" });
  });

  it("refuse one that others can reach, where those listen on their machine alone", async () => {
    await join({ ...HERE, address: "127.0.0.1:4000" });
    await expect(join(THERE)).rejects.toThrow(OTHER_MACHINE);
  });

  it("let one in of two that begin at the same moment and don't go together", async () => {
    const both = await Promise.allSettled([
      join(HERE),
      join({ ...HERE, address: "192.168.1.5:4001", doors: "closed" }),
    ]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  it("know that what had the port of a new one is dead, whatever doors it had", async () => {
    await join({ ...HERE, doors: "closed" });
    await (await join(HERE)).check();
  });

  it("count by the server's time: a machine with another one drives nobody out", async () => {
    await join(HERE);
    const far = jest.spyOn(Date, "now").mockReturnValue(Date.now() + 3_600_000);
    await expect(join({ ...THERE, doors: "closed" })).rejects.toThrow(OTHER_DOORS);
    far.mockRestore();
  });
});

describe("a host that was away, while one began with which it doesn't go together,", () => {
  afterEach(() => void jest.useRealTimers());

  it("sees that by itself, says so once, and goes on when that one is gone", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "setTimeout", "clearTimeout", "queueMicrotask"] });
    const member = await join(HERE);
    await forgetAll();
    const other = await join({ ...THERE, doors: "closed" });
    // What is sent on one connection is answered in its order.
    const sayAgain = async () => {
      jest.advanceTimersByTime(SAID_EVERY_MS);
      await redis.ping();
      await settle();
    };
    members.pop();
    await sayAgain();
    expect(member.fault()).toMatch(OTHER_DOORS);
    await sayAgain();
    expect(log).toEqual([expect.stringMatching(/^Clients are told unavailable\. Hosts on this Redis run with other /)]);
    await other.leave();
    await sayAgain();
    expect(member.fault()).toBeUndefined();
    expect(log.slice(1)).toEqual(["The other hosts are gone, and clients are served again."]);
  });

  it("sees that when it is reloaded, and its stores are unavailable then", async () => {
    const shared = createSharedStores({
      clock: { now: Date.now, sleep: async () => {} },
      doors: undefined,
      log: () => {},
    });
    const find = () => shared.find({ STORE: "redis", REDIS_URL: server.url }, "message-topic", "127.0.0.1:4000");
    const stores = await find();
    const own = connectRedis(server.url, { keyPrefix: "topicast:hosts:" });
    expect(await own.del("members")).toBe(1);
    const other = await joinHosts({ redis: own, log: () => {}, doors: "closed", address: "127.0.0.1:1", machine: "" });
    const reloaded = find();
    await expect(reloaded).rejects.toThrow(StartError);
    await expect(reloaded).rejects.toThrow(OTHER_DOORS);
    const unavailable = { name: "UnavailableError", part: "store" };
    await expect(stores?.apps.get("nobody" as never)).rejects.toMatchObject(unavailable);
    await other.leave();
    expect(await find()).toBe(stores);
    expect(await stores?.apps.get("nobody" as never)).toBeUndefined();
    await shared.close();
    own.disconnect();
  });
});
