import { beforeEach, describe, expect, it } from "@jest/globals";
import {
  type Application,
  type Applications,
  type AppStore,
  CACHE_MS,
  createApplications,
  type TopicRules,
  UnavailableError,
} from "@topicast/core";
import { createMemoryAppStore } from "@topicast/core/memory";
import { anApp, anApplication, anApplicationKey, aTopic, settle, type TestClock, testClock } from "@topicast/testing";
import { findRule } from "../src/applications.ts";
import { parseTopicRules } from "../src/parse-topic-rules.ts";

let clock: TestClock;
let store: AppStore;
let applications: Applications;
/** Names that the store was asked for. */
let reads: string[];
/** What the next read throws. */
let failure: Error | undefined;

beforeEach(() => {
  clock = testClock();
  store = createMemoryAppStore({ clock });
  reads = [];
  failure = undefined;
  applications = create();
});

function create(rules: TopicRules = []): Applications {
  const apps: AppStore = {
    ...store,
    async get(name) {
      reads.push(name);
      if (failure !== undefined) throw failure;
      return store.get(name);
    },
  };
  return createApplications({ apps, clock, rules });
}

async function add(overrides: Partial<Application> = {}): Promise<Application> {
  const application = anApplication(overrides);
  await store.create(application);
  return application;
}

describe("what a service knows of an application", () => {
  it("is read once in a while, for all who ask", async () => {
    const { id, keys } = await add({ keys: [anApplicationKey()], maxConnections: 3 });
    const found = await Promise.all([applications.find(id), applications.findByName("game"), applications.find(id)]);
    expect(found[0]).toEqual({ id, name: "game", keys, rules: [], maxConnections: 3 });
    expect(found[1]).toEqual(found[0]);
    await clock.advance(CACHE_MS - 1);
    await applications.find(id);
    expect(reads).toEqual(["game"]);
  });

  it("is at most so old", async () => {
    const { id } = await add();
    await applications.find(id);
    await store.change("game", { maxConnections: 7 });
    await clock.advance(CACHE_MS - 1);
    expect(await applications.find(id)).not.toHaveProperty("maxConnections");
    await clock.advance(1);
    expect(await applications.find(id)).toMatchObject({ maxConnections: 7 });
  });

  it("ends with it at once, however young", async () => {
    const { id } = await add({ expiresAt: clock.now() + 500 });
    expect(await applications.find(id)).toMatchObject({ expiresAt: clock.now() + 500 });
    await clock.advance(500);
    expect(await applications.find(id)).toBeUndefined();
    expect(await applications.findByName("game")).toBeUndefined();
  });

  it("is not that of an application of the same name that was there before", async () => {
    const old = await add({ expiresAt: clock.now() + 5_000 });
    expect(await applications.find(old.id)).toBeDefined();
    await clock.advance(5_000);
    const { id } = await add();
    expect(await applications.find(id)).toMatchObject({ id });
    expect(await applications.find(old.id)).toBeUndefined();
  });

  it("is not what a failed read said", async () => {
    const { id } = await add();
    failure = new UnavailableError("store", "throttled");
    const results = await Promise.allSettled([applications.find(id), applications.findByName("game")]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(reads).toHaveLength(1);
    failure = undefined;
    expect(await applications.find(id)).toMatchObject({ id });
  });
});

describe("what it doesn't know yet", () => {
  const hasKey = (keyId: string) => (found: { keys: readonly { id: string }[] }) =>
    found.keys.some(({ id }) => id === keyId);

  it("it looks for again, once in a second", async () => {
    expect(await applications.findByName("game")).toBeUndefined();
    await add();
    await clock.advance(999);
    expect(await applications.findByName("game")).toBeUndefined();
    expect(reads).toHaveLength(1);
    await clock.advance(1);
    expect(await applications.findByName("game")).toBeDefined();
    expect(reads).toHaveLength(2);
  });

  it("are keys, too", async () => {
    await add();
    await applications.findByName("game");
    await clock.advance(1_000);
    const key = anApplicationKey();
    await store.addKey("game", key, 10);
    expect(await applications.findByName("game")).toMatchObject({ keys: [] });
    expect(await applications.findByName("game", hasKey(key.id))).toMatchObject({ keys: [key] });
  });

  it("many ask for at once, and one looks", async () => {
    await add();
    await applications.findByName("game");
    await clock.advance(2_000);
    await Promise.all(Array.from({ length: 100 }, () => applications.findByName("game", hasKey("nobody's"))));
    expect(reads).toHaveLength(2);
  });

  it("fills no memory", async () => {
    await add();
    await applications.findByName("game");
    for (let n = 0; n < 999; n++) await applications.findByName(`other-${n}`);
    reads = [];
    await applications.findByName("game");
    expect(reads).toEqual([]);
    await applications.findByName("one-more");
    await applications.findByName("game");
    expect(reads).toEqual(["one-more", "game"]);
  });

  it("makes no unhandled rejection where nobody waits any more", async () => {
    failure = new UnavailableError("store", "throttled");
    await expect(applications.find(anApp("game~1"))).rejects.toThrow("throttled");
    await settle();
  });
});

describe("topic rules", () => {
  const rulesOf = (text: string) => {
    const parsed = parseTopicRules(text);
    if ("faults" in parsed) throw new Error(parsed.faults.join());
    return parsed.rules;
  };

  it("of an application come before the deployment's, and are no other's", async () => {
    applications = create(rulesOf('[{"match":"room/*","historySeconds":1},{"match":"lobby","historySeconds":2}]'));
    const game = await add({ topicRules: '[{"match":"room/1","historySeconds":3}]' });
    const other = await add({ name: "other" });
    const secondsOf = async ({ id }: Application, topic: string) =>
      (await findRule(applications, id, aTopic(topic))).retention.maxAgeMs / 1_000;
    expect(await secondsOf(game, "room/1")).toBe(3);
    expect(await secondsOf(game, "room/2")).toBe(1);
    expect(await secondsOf(game, "lobby")).toBe(2);
    expect(await secondsOf(other, "room/1")).toBe(1);
    expect(await secondsOf(anApplication({ name: "gone" }), "room/1")).toBe(120);
  });

  it("that somebody broke in the table are a surprise that names the application", async () => {
    await add({ topicRules: "[{}]" });
    await expect(applications.findByName("game")).rejects.toThrow(/rules of the application game are wrong/);
  });
});
