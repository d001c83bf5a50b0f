import { describe, expect, it } from "@jest/globals";
import type { AppStore } from "@topicast/core";
import type { TopicPattern } from "@topicast/protocol";
import type { TestClock } from "./clock.ts";
import { anApplication, anApplicationKey } from "./factories.ts";
import { useHarness } from "./harness.ts";

export interface AppStoreHarness {
  readonly store: AppStore;
  readonly clock: TestClock;
  close(): Promise<void>;
}

/** What every driver of `AppStore` promises. Each call of `createHarness` begins with an empty store. */
export function describeAppStoreContract(name: string, createHarness: () => Promise<AppStoreHarness>): void {
  describe(`${name} keeps the contract of AppStore`, () => {
    const harness = useHarness(createHarness);
    describe("create and get", () => describeCreating(harness));
    describe("list", () => describeListing(harness));
    describe("change and remove", () => describeChanging(harness));
    describe("keys", () => describeKeys(harness));
    describe("expiry", () => describeExpiry(harness));
  });
}

function describeCreating(harness: () => AppStoreHarness): void {
  it("has what was created, with all that it says", async () => {
    const { store, clock } = harness();
    const grants = [{ topics: "räume/*" as TopicPattern, rights: ["publish", "history"] as const }];
    const application = anApplication({
      topicRules: '[{"match":"räume/*","historySeconds":600}]',
      maxConnections: 50,
      expiresAt: clock.now() + 60_000,
      keys: [anApplicationKey(), anApplicationKey({ grants, expiresAt: clock.now() + 5, createdAt: clock.now() + 1 })],
    });
    expect(await store.create(application)).toBe(true);
    expect(await store.get(application.name)).toEqual(application);
  });

  it("has a plain one too, and not what it doesn't know", async () => {
    const { store } = harness();
    const application = anApplication();
    expect(await store.get("game")).toBeUndefined();
    await store.create(application);
    expect(await store.get("game")).toEqual(application);
    expect(await store.get("gam")).toBeUndefined();
    expect(await store.get("game-2")).toBeUndefined();
  });

  it("keeps the first of a name, and lets its own create be repeated", async () => {
    const { store } = harness();
    const application = anApplication({ maxConnections: 1 });
    expect(await store.create(application)).toBe(true);
    expect(await store.create(anApplication({ maxConnections: 2 }))).toBe(false);
    expect(await store.create(application)).toBe(true);
    expect(await store.get("game")).toEqual(application);
  });

  it("lets one win of those that create at the same time", async () => {
    const { store } = harness();
    const candidates = Array.from({ length: 5 }, () => anApplication());
    const created = await Promise.all(candidates.map((each) => store.create(each)));
    expect(created.filter(Boolean)).toHaveLength(1);
    expect(await store.get("game")).toEqual(candidates[created.indexOf(true)]);
  });
}

function describeListing(harness: () => AppStoreHarness): void {
  /** Page by page, until there is no cursor. */
  async function namesOf(store: AppStore, limit: number): Promise<string[]> {
    const names: string[] = [];
    for (let cursor: string | undefined, pages = 0; pages === 0 || cursor !== undefined; pages++) {
      const page = await store.list({ limit, ...(cursor !== undefined && { cursor }) });
      expect(page.applications.length).toBeLessThanOrEqual(limit);
      names.push(...page.applications.map(({ name }) => name));
      ({ cursor } = page);
    }
    return names;
  }

  it("is empty at first", async () => {
    expect(await harness().store.list({ limit: 10 })).toEqual({ applications: [] });
  });

  it.each([1, 2, 100])("has all in the order of their names, %d at a time", async (limit) => {
    const { store, clock } = harness();
    const names = ["a-b", "a", "z", "0", "a0", "b"];
    for (const name of names) await store.create(anApplication({ name, keys: [anApplicationKey()] }));
    await store.create(anApplication({ name: "a1", expiresAt: clock.now() + 1 }));
    await clock.advance(2);
    expect(await namesOf(store, limit)).toEqual([...names].sort());
    expect((await store.list({ limit: 100 })).applications[0]).toEqual(await store.get("0"));
  });

  it("goes on behind a name that was removed", async () => {
    const { store } = harness();
    for (const name of ["a", "b", "c"]) await store.create(anApplication({ name }));
    const { cursor = "" } = await store.list({ limit: 2 });
    await store.remove("b");
    expect((await store.list({ cursor, limit: 2 })).applications.map(({ name }) => name)).toEqual(["c"]);
  });
}

function describeChanging(harness: () => AppStoreHarness): void {
  it("changes what it is told and nothing else", async () => {
    const { store, clock } = harness();
    const application = anApplication({ maxConnections: 5, keys: [anApplicationKey()] });
    await store.create(application);
    const rules = '[{"match":"a/*"}]';
    expect(await store.change("game", { topicRules: rules })).toEqual({ ...application, topicRules: rules });
    const expiresAt = clock.now() + 1_000;
    const changed = { ...application, topicRules: rules, maxConnections: 6, expiresAt };
    expect(await store.change("game", { maxConnections: 6, expiresAt })).toEqual(changed);
    expect(await store.change("game", {})).toEqual(changed);
    expect(await store.get("game")).toEqual(changed);
  });

  it("takes limits away", async () => {
    const { store, clock } = harness();
    const application = anApplication();
    await store.create({ ...application, maxConnections: 5, expiresAt: clock.now() + 1_000 });
    expect(await store.change("game", { maxConnections: null, expiresAt: null })).toEqual(application);
    expect(await store.change("game", { maxConnections: null, expiresAt: null })).toEqual(application);
    await clock.advance(1_001);
    expect(await store.get("game")).toEqual(application);
  });

  it("loses none of the changes that are made at the same time", async () => {
    const { store } = harness();
    const application = anApplication();
    await store.create(application);
    const [one, two] = [anApplicationKey(), anApplicationKey()];
    await Promise.all([
      store.change("game", { topicRules: "[1]" }),
      store.change("game", { maxConnections: 7 }),
      store.addKey("game", one, 10),
      store.addKey("game", two, 10),
    ]);
    const found = await store.get("game");
    expect(found).toEqual({ ...application, topicRules: "[1]", maxConnections: 7, keys: expect.anything() });
    expect(found?.keys).toHaveLength(2);
    expect(found?.keys).toEqual(expect.arrayContaining([one, two]));
  });

  it("removes an application once, and its name is free", async () => {
    const { store } = harness();
    await store.create(anApplication({ keys: [anApplicationKey()] }));
    await store.create(anApplication({ name: "other" }));
    expect(await store.remove("game")).toBe(true);
    expect(await store.remove("game")).toBe(false);
    expect(await store.get("game")).toBeUndefined();
    const next = anApplication();
    expect(await store.create(next)).toBe(true);
    expect(await store.get("game")).toEqual(next);
    expect(await store.get("other")).toBeDefined();
  });

  it("knows nothing of one that isn't there", async () => {
    const { store } = harness();
    expect(await store.change("game", { maxConnections: 1 })).toBeUndefined();
    expect(await store.change("game", {})).toBeUndefined();
    expect(await store.remove("game")).toBe(false);
    expect(await store.addKey("game", anApplicationKey(), 10)).toBe("unknown_application");
    expect(await store.removeKey("game", "k1")).toBe(false);
    expect(await store.get("game")).toBeUndefined();
  });
}

function describeKeys(harness: () => AppStoreHarness): void {
  it("adds and removes keys, the older ones first", async () => {
    const { store, clock } = harness();
    const keys = [3, 1, 2].map((n) => anApplicationKey({ id: `k${n}`, createdAt: clock.now() + 10 - n }));
    await store.create(anApplication());
    for (const key of keys) expect(await store.addKey("game", key, 10)).toBe("added");
    expect((await store.get("game"))?.keys.map(({ id }) => id)).toEqual(["k3", "k2", "k1"]);
    expect(await store.removeKey("game", "k2")).toBe(true);
    expect(await store.removeKey("game", "k2")).toBe(false);
    expect((await store.get("game"))?.keys).toEqual([keys[0], keys[1]]);
  });

  it("has no more than are allowed, also of those that come at the same time", async () => {
    const { store } = harness();
    await store.create(anApplication({ keys: [anApplicationKey()] }));
    const keys = Array.from({ length: 4 }, () => anApplicationKey());
    const outcomes = await Promise.all(keys.map((key) => store.addKey("game", key, 3)));
    expect(outcomes.sort()).toEqual(["added", "added", "too_many_keys", "too_many_keys"]);
    expect((await store.get("game"))?.keys).toHaveLength(3);
  });

  it("lets adding one be repeated", async () => {
    const { store } = harness();
    const [key, other] = [anApplicationKey(), anApplicationKey()];
    await store.create(anApplication({ keys: [key] }));
    expect(await store.addKey("game", key, 1)).toBe("added");
    expect(await store.addKey("game", other, 1)).toBe("too_many_keys");
    expect((await store.get("game"))?.keys).toEqual([key]);
  });

  it("mixes up no ids, whatever they are, and no applications", async () => {
    const { store } = harness();
    const ids = ["1", "constructor", "size", "k", "name", "year"];
    await store.create(anApplication({ name: "other" }));
    await store.create(anApplication({ keys: ids.map((id) => anApplicationKey({ id })) }));
    expect((await store.get("game"))?.keys.map(({ id }) => id)).toEqual([...ids].sort());
    for (const id of ids) {
      expect(await store.removeKey("other", id)).toBe(false);
      expect(await store.removeKey("game", id)).toBe(true);
    }
    expect((await store.get("game"))?.keys).toEqual([]);
  });
}

function describeExpiry(harness: () => AppStoreHarness): void {
  it("finds no application after its time, by no method, and its name is free", async () => {
    const { store, clock } = harness();
    const application = anApplication({ expiresAt: clock.now() + 1_000, keys: [anApplicationKey({ id: "k1" })] });
    await store.create(application);
    await clock.advance(999);
    expect(await store.get("game")).toEqual(application);
    await clock.advance(1);
    expect(await store.get("game")).toBeUndefined();
    expect((await store.list({ limit: 10 })).applications).toEqual([]);
    expect(await store.change("game", { expiresAt: null })).toBeUndefined();
    expect(await store.addKey("game", anApplicationKey(), 10)).toBe("unknown_application");
    expect(await store.removeKey("game", "k1")).toBe(false);
    expect(await store.remove("game")).toBe(false);
    const next = anApplication();
    expect(await store.create(next)).toBe(true);
    expect(await store.get("game")).toEqual(next);
    await clock.advance(10_000);
    expect(await store.get("game")).toEqual(next);
  });

  it("lets one live longer, or end sooner", async () => {
    const { store, clock } = harness();
    await store.create(anApplication({ expiresAt: clock.now() + 1_000 }));
    await store.change("game", { expiresAt: clock.now() + 5_000 });
    await clock.advance(4_000);
    expect(await store.get("game")).toBeDefined();
    await store.change("game", { expiresAt: clock.now() + 10 });
    await clock.advance(10);
    expect(await store.get("game")).toBeUndefined();
  });
}
