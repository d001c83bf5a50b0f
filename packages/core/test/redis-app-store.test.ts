import { expect, it } from "@jest/globals";
import { anApplication, startRedis, testClock } from "@topicast/testing";
import { APPLICATION_ENDS, APPLICATION_NAMES, applicationKey } from "../src/drivers/redis/keys.ts";
import { createRedisAppStore } from "../src/drivers/redis.ts";
import { useRedis } from "./redis-clients.ts";

const open = useRedis(startRedis);

it("leaves nothing of an application that has ended", async () => {
  const { redis, close } = open();
  const clock = testClock();
  const store = createRedisAppStore({ redis, clock });
  await store.create(anApplication({ name: "jam", expiresAt: clock.now() + 60_000 }));
  await store.create(anApplication({ name: "later" }));
  await store.change("later", { expiresAt: clock.now() + 90_000 });
  // Redis's own time, which has nothing to do with the test's.
  const [jam, later] = [await redis.pttl(applicationKey("jam")), await redis.pttl(applicationKey("later"))];
  expect(jam).toBeGreaterThan(60_000);
  expect(later).toBeGreaterThan(jam);
  expect(later).toBeLessThan(2 * 3_600_000);

  await clock.advance(90_001);
  await store.create(anApplication({ name: "next" }));
  expect(await redis.zrange(APPLICATION_NAMES, 0, "-1")).toEqual(["next"]);
  expect(await redis.zrange(APPLICATION_ENDS, 0, "-1")).toEqual([]);
  expect(await redis.pttl(applicationKey("next"))).toBe(-1);
  await close();
});

it("keeps an application whose end is taken away", async () => {
  const { redis, close } = open();
  const clock = testClock();
  const store = createRedisAppStore({ redis, clock });
  await store.create(anApplication({ name: "jam", expiresAt: clock.now() + 60_000 }));
  await store.change("jam", { expiresAt: null });
  expect(await redis.pttl(applicationKey("jam"))).toBe(-1);
  await clock.advance(60_001);
  await store.create(anApplication({ name: "next" }));
  expect(await redis.zrange(APPLICATION_NAMES, 0, "-1")).toEqual(["jam", "next"]);
  await close();
});
