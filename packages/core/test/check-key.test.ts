import { beforeEach, describe, expect, it } from "@jest/globals";
import {
  type AppStore,
  addKey,
  CACHE_MS,
  type Caller,
  createApplication,
  createApplications,
  createKeyCheck,
  createOperatorCheck,
  createSealer,
  everyone,
  hashSecret,
  type KeyCheck,
  type KeyService,
  may,
  UnavailableError,
} from "@topicast/core";
import { createMemoryAppStore } from "@topicast/core/memory";
import type { Result, TopicPattern } from "@topicast/protocol";
import { aTopic, type TestClock, testClock } from "@topicast/testing";

const sealer = createSealer("an encryption key, long enough for anyone");

let clock: TestClock;
let apps: AppStore;
let service: KeyService;
let check: KeyCheck;

beforeEach(() => {
  clock = testClock();
  apps = createMemoryAppStore({ clock });
  service = { apps, clock, sealer: async () => sealer };
  check = createKeyCheck({ applications: createApplications({ apps, clock, rules: [] }), clock });
});

/** Its first key. */
async function create(name: string, expiresAt?: number): Promise<string> {
  const input = { name, topicRules: "[]", ...(expiresAt !== undefined && { expiresAt }) };
  const created = await createApplication(service, input);
  if (!created.ok) throw new Error(created.fault.message);
  return created.value.keyText;
}

async function add(app: string, input: Partial<Parameters<typeof addKey>[2]> = {}): Promise<string> {
  const added = await addKey(service, app, { topics: ["*" as TopicPattern], rights: ["publish"], ...input });
  if (!added.ok) throw new Error(added.fault.message);
  return added.value.text;
}

const idOf = (key: string) => key.slice(key.indexOf(".") + 1, key.indexOf(":"));
const ask = (key: string) => check(`Bearer ${key}`);
const WRONG = { ok: false, fault: { code: "unauthorized", message: "This key is not valid." } };

function callerOf(result: Result<Caller>): Caller {
  if (!result.ok) throw new Error(result.fault.message);
  return result.value;
}

describe("a key over HTTP", () => {
  it("says whose it is and what it may do", async () => {
    await create("game");
    const room = {
      topics: ["room/*" as TopicPattern, "lobby" as TopicPattern],
      rights: ["publish", "history"] as const,
    };
    const caller = callerOf(await ask(await add("game", room)));
    expect(caller.app).toBe((await apps.get("game"))?.id);
    expect(may(caller, "publish", aTopic("room/1"))).toBe(true);
    expect(may(caller, "history", aTopic("lobby"))).toBe(true);
    expect(may(caller, "subscribe", aTopic("room/1"))).toBe(false);
    expect(may(caller, "publish", aTopic("rooms/1"))).toBe(false);
  });

  it("is asked for where there is none", async () => {
    expect(await check(undefined)).toMatchObject({ ok: false, fault: { code: "unauthorized" } });
  });

  it("is refused in one and the same way, whatever is wrong", async () => {
    const key = await create("game");
    const [name = "", secret = ""] = key.split(":");
    const other = (await create("other")).split(":")[1];
    const wrong = [
      "",
      "Bearer",
      "Bearer  ",
      key,
      `Basic ${key}`,
      `Bearer ${key} x`,
      `Bearer ${name}`,
      `Bearer ${name}:`,
      `Bearer ${name}:${other}`,
      `Bearer ${name}:${secret}x`,
      `Bearer ${name}:${secret.slice(0, -1)}`,
      `Bearer ${name}:${secret.toLowerCase()}`,
      `Bearer ${name}:${hashSecret(secret)}`,
      `Bearer other.${idOf(key)}:${secret}`,
      `Bearer nobody.${idOf(key)}:${secret}`,
      `Bearer game.k0:${secret}`,
      `Bearer ${"x".repeat(1_000_000)}`,
      `Bearer ${key}${" ".repeat(300)}`,
    ];
    for (const header of wrong) expect([header, await check(header)]).toEqual([header, WRONG]);
    expect((await ask(key)).ok).toBe(true);
  });

  it("opens nothing after its time", async () => {
    await create("game");
    const key = await add("game", { expiresAt: clock.now() + 5_000 });
    await clock.advance(4_999);
    expect((await ask(key)).ok).toBe(true);
    await clock.advance(1);
    expect(await ask(key)).toEqual(WRONG);
  });

  it("opens nothing half a minute after it was removed, while another one still does", async () => {
    const old = await create("game");
    const next = await add("game");
    expect([(await ask(old)).ok, (await ask(next)).ok]).toEqual([true, true]);
    await apps.removeKey("game", idOf(old));
    await clock.advance(CACHE_MS);
    expect(await ask(old)).toEqual(WRONG);
    expect((await ask(next)).ok).toBe(true);
  });

  it("opens at once where it is new, to who was refused a second ago", async () => {
    const first = await create("game");
    await ask(first);
    await clock.advance(1_000);
    expect((await ask(await add("game"))).ok).toBe(true);
  });

  it("goes with its application, and is no key of the next of that name", async () => {
    const key = await create("game", clock.now() + 1_000);
    expect((await ask(key)).ok).toBe(true);
    await clock.advance(1_000);
    expect(await ask(key)).toEqual(WRONG);
    const next = await create("game");
    await clock.advance(1_000);
    expect(await ask(key)).toEqual(WRONG);
    expect((await ask(next)).ok).toBe(true);
  });

  it("is not judged while the store can't be asked", async () => {
    const key = await create("game");
    apps.get = () => Promise.reject(new UnavailableError("store", "throttled"));
    await expect(ask(key)).rejects.toThrow(UnavailableError);
  });

  it("isn't needed where doors are open", async () => {
    expect(await everyone(undefined)).toEqual({ ok: true, value: { app: "default", access: [] } });
  });
});

describe("adding keys", () => {
  it("ends at ten, of which expired ones make room", async () => {
    await create("game");
    for (let n = 2; n <= 10; n++) await add("game", n <= 3 ? { expiresAt: clock.now() + 1_000 } : {});
    await expect(add("game")).rejects.toThrow(/at most 10 keys/);
    await clock.advance(1_000);
    const key = await add("game");
    expect((await ask(key)).ok).toBe(true);
    expect((await apps.get("game"))?.keys).toHaveLength(9);
  });

  it("needs an application", async () => {
    await expect(add("game")).rejects.toThrow(/no such application/);
  });

  it("keeps nothing of a secret as it is", async () => {
    const key = await create("game");
    const kept = JSON.stringify(await apps.get("game"));
    expect(kept).not.toContain(key.split(":")[1]);
  });
});

describe("the operator's key", () => {
  const operator = createOperatorCheck(hashSecret("operator-key"));

  it("opens", async () => {
    expect((await operator("Bearer operator-key")).ok).toBe(true);
  });

  it.each(["", "Bearer", "operator-key", "Bearer operator-ke", "Bearer operator-keyy", "Bearer Operator-key"])(
    "is not %j",
    async (header) => {
      expect(await operator(header)).toMatchObject({ ok: false, fault: { code: "unauthorized" } });
    },
  );

  it("is not its own hash, nor anything long", async () => {
    for (const key of [hashSecret("operator-key"), "x".repeat(1_000_000)]) {
      expect(await operator(`Bearer ${key}`)).toMatchObject({ ok: false, fault: { code: "unauthorized" } });
    }
    expect(await operator(undefined)).toMatchObject({ ok: false, fault: { code: "unauthorized" } });
  });

  it("is nobody's where none was set", async () => {
    expect(await createOperatorCheck(undefined)("Bearer x")).toMatchObject({ ok: false, fault: { code: "forbidden" } });
  });
});
