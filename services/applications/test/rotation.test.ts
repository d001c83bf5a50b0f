import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { CACHE_MS, UnavailableError } from "@topicast/core";
import { type TestClock, testClock } from "@topicast/testing";
import { type Answer, type ApplicationsHost, startApplicationsHost } from "./applications-host.ts";

/** Starting takes some seconds where the machine is busy. */
jest.setTimeout(60_000);

let host: ApplicationsHost;
let clock: TestClock;
beforeEach(async () => {
  clock = testClock();
  host = await startApplicationsHost({ clock });
});
afterEach(() => host.close());

async function create(body: object): Promise<string> {
  return (await host.ask("POST", "/apps", { body })).body.key;
}

const idOf = (key: string) => key.slice(key.indexOf(".") + 1, key.indexOf(":"));

/** As a backend that has this key. */
function publish(key: string, payload: unknown = 1): Promise<Answer> {
  return host.ask("POST", "/topics/room/1/messages", { service: "message-topic", key, body: { payload } });
}

async function statusesOf(...keys: string[]): Promise<number[]> {
  return (await Promise.all(keys.map((key) => publish(key)))).map(({ status }) => status);
}

describe("an application's keys, as its backends know them,", () => {
  it("are changed without a moment in which none opens", async () => {
    const old = await create({ app: "game" });
    expect(await statusesOf(old)).toEqual([202]);
    await clock.advance(1_000);
    const next = (await host.ask("POST", "/apps/game/keys")).body.key;
    expect(await statusesOf(old, next)).toEqual([202, 202]);
    await host.ask("DELETE", `/apps/game/keys/${idOf(old)}`);
    await clock.advance(CACHE_MS);
    expect(await statusesOf(old, next)).toEqual([401, 202]);
  });

  it("open what they are for", async () => {
    await create({ app: "game" });
    const body = { rights: ["publish"], topics: ["lobby", "room/*"] };
    const { key } = (await host.ask("POST", "/apps/game/keys", { body })).body;
    expect((await publish(key)).status).toBe(202);
    const lobby = await host.ask("GET", "/topics/lobby/messages?last=1", { service: "message-topic", key });
    expect(lobby).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });

  it("end with it, and the next of its name begins anew", async () => {
    const old = await create({ app: "jam", expiresAt: clock.now() + 60_000 });
    expect((await publish(old)).body).toMatchObject({ seq: 1 });
    await clock.advance(60_000);
    expect(await statusesOf(old)).toEqual([401]);
    expect((await host.ask("GET", "/apps/jam")).status).toBe(404);
    const next = await create({ app: "jam" });
    await clock.advance(1_000);
    expect(await statusesOf(old)).toEqual([401]);
    expect((await publish(next)).body).toMatchObject({ seq: 1 });
  });

  it("end half a minute after it was deleted", async () => {
    const key = await create({ app: "game" });
    expect(await statusesOf(key)).toEqual([202]);
    await host.ask("DELETE", "/apps/game");
    await clock.advance(CACHE_MS);
    expect(await statusesOf(key)).toEqual([401]);
  });
});

describe("topic rules of an application", () => {
  it("hold half a minute after they were changed, for it alone", async () => {
    const [game, other] = [await create({ app: "game" }), await create({ app: "other" })];
    expect(await statusesOf(game, other)).toEqual([202, 202]);
    const rules = [{ match: "room/*", maxPayloadBytes: 10 }];
    await host.ask("PATCH", "/apps/game", { body: { rules } });
    await clock.advance(CACHE_MS);
    const large = "more than ten bytes";
    expect(await publish(game, large)).toMatchObject({ status: 413, body: { code: "payload_too_large", limit: 10 } });
    expect((await publish(other, large)).status).toBe(202);
  });
});

it("a store that fails is told, and makes the service ill", async () => {
  await host.close();
  host = await startApplicationsHost({
    ports: (ports) => ({
      ...ports,
      apps: { ...ports.apps, get: () => Promise.reject(new UnavailableError("store", "throttled")) },
    }),
  });
  expect(await host.ask("GET", "/apps/game")).toMatchObject({ status: 503, body: { code: "unavailable" } });
  const health = await host.ask("GET", "/health", { key: null });
  expect(health).toMatchObject({ status: 503, body: { code: "unavailable", failed: ["store"] } });
});
