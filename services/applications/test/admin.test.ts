import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { Frame } from "@topicast/testing";
import { type ApplicationsHost, OPERATOR_KEY, startApplicationsHost } from "./applications-host.ts";

/** Starting over the wire takes some seconds where the machine is busy. */
jest.setTimeout(60_000);

const ALL_RIGHTS = ["subscribe", "publish", "history", "presence", "admin"];
const A_LONG_TIME_MS = 365 * 24 * 60 * 60 * 1_000;

describe.each([
  ["in memory", {}],
  ["over the wire", { wire: {} }],
])("the operator, %s,", (_, options) => {
  let host: ApplicationsHost;
  beforeAll(async () => {
    host = await startApplicationsHost(options);
  });
  afterAll(() => host.close());
  // One host for all: it takes its time to start.
  afterEach(async () => {
    const { apps } = (await host.ask("GET", "/apps")).body;
    for (const { app } of apps) await host.ask("DELETE", `/apps/${app}`);
  });

  async function create(body: object): Promise<Frame> {
    const created = await host.ask("POST", "/apps", { body });
    expect(created.status).toBe(201);
    return created.body;
  }

  it("creates an application, and is shown its first key this once", async () => {
    const expiresAt = Date.now() + A_LONG_TIME_MS;
    const rules = [{ match: "räume/*", historySeconds: 600 }];
    const { key, ...created } = await create({ app: "game", rules, maxConnections: 50, expiresAt });
    const [keyId] = created.keys.map((one: Frame) => one.keyId);
    expect(key).toMatch(new RegExp(`^game\\.${keyId}:[\\w-]{43}$`));
    expect(created).toEqual({
      app: "game",
      rules,
      maxConnections: 50,
      createdAt: expect.any(Number),
      expiresAt,
      keys: [{ keyId, rights: ALL_RIGHTS, topics: ["*"], createdAt: created.createdAt }],
    });
    expect(await host.ask("GET", "/apps/game")).toEqual({ status: 200, body: created });
    const again = await host.ask("POST", "/apps", { body: { app: "game" } });
    expect(again).toMatchObject({
      status: 400,
      body: { code: "bad_request", detail: expect.stringMatching(/already/) },
    });
    expect(await host.ask("GET", "/apps/game")).toEqual({ status: 200, body: created });
  });

  it("creates one whose first key was made before", async () => {
    const key = `game.k1:${"s".repeat(32)}`;
    expect(await create({ app: "game", key })).toMatchObject({ key, keys: [{ keyId: "k1" }] });
  });

  it("lists applications in pages, changes one and deletes one", async () => {
    for (const app of ["b", "a", "c"]) await create({ app, maxConnections: 5 });
    const first = await host.ask("GET", "/apps?limit=2");
    expect(first).toMatchObject({ status: 200, body: { apps: [{ app: "a" }, { app: "b" }], cursor: "b" } });
    const { body } = await host.ask("GET", "/apps?cursor=b");
    expect([body.apps.map(({ app }: Frame) => app), body.cursor]).toEqual([["c"], undefined]);

    const expiresAt = Date.now() + A_LONG_TIME_MS;
    const changes = { rules: [{ match: "a", ephemeral: true }], maxConnections: null, expiresAt };
    const { maxConnections: _, ...before } = (await host.ask("GET", "/apps/a")).body;
    const changed = await host.ask("PATCH", "/apps/a", { body: changes });
    expect(changed).toEqual({ status: 200, body: { ...before, rules: changes.rules, expiresAt } });
    const forEver = await host.ask("PATCH", "/apps/a", { body: { expiresAt: null } });
    expect(forEver.body).toEqual({ ...before, rules: changes.rules });

    expect(await host.ask("DELETE", "/apps/a")).toEqual({ status: 204, body: "" });
    for (const [method, path] of [
      ["GET", "/apps/a"],
      ["PATCH", "/apps/a"],
      ["DELETE", "/apps/a"],
      ["GET", "/apps/a/keys"],
      ["POST", "/apps/a/keys"],
      ["DELETE", "/apps/a/keys/k1"],
      ["GET", `/apps/${"x".repeat(2_000)}`],
      ["GET", "/apps/__proto__"],
      ["DELETE", `/apps/b/keys/${"x".repeat(2_000)}`],
    ] as const) {
      expect([path, await host.ask(method, path)]).toMatchObject([path, { status: 404, body: { code: "not_found" } }]);
    }
    expect((await host.ask("GET", "/apps")).body.apps).toMatchObject([{ app: "b" }, { app: "c" }]);
  });

  it("gives an application further keys, and takes them away", async () => {
    const { keys } = await create({ app: "game" });
    const expiresAt = Date.now() + A_LONG_TIME_MS;
    const asked = { rights: ["publish", "publish"], topics: ["room/*", "räume/1"], expiresAt };
    const created = await host.ask("POST", "/apps/game/keys", { body: asked });
    const { key, ...about } = created.body;
    const { keyId, createdAt } = about;
    expect(created.status).toBe(201);
    expect(key).toMatch(new RegExp(`^game\\.${keyId}:[\\w-]{43}$`));
    expect(about).toEqual({ keyId, rights: ["publish"], topics: ["room/*", "räume/1"], createdAt, expiresAt });
    const plain = await host.ask("POST", "/apps/game/keys");
    expect(plain).toMatchObject({ status: 201, body: { rights: ALL_RIGHTS, topics: ["*"] } });

    expect(await host.ask("DELETE", `/apps/game/keys/${plain.body.keyId}`)).toEqual({ status: 204, body: "" });
    expect((await host.ask("DELETE", `/apps/game/keys/${plain.body.keyId}`)).status).toBe(404);
    expect(await host.ask("GET", "/apps/game/keys")).toEqual({ status: 200, body: { keys: [...keys, about] } });
  });

  it("gives an application no more than ten keys", async () => {
    await create({ app: "game" });
    for (let n = 2; n <= 10; n++) expect((await host.ask("POST", "/apps/game/keys")).status).toBe(201);
    const refused = await host.ask("POST", "/apps/game/keys");
    expect(refused).toMatchObject({ status: 400, body: { code: "bad_request", limit: 10 } });
  });

  it("is told everything that is wrong with what was asked, by its name", async () => {
    await create({ app: "game" });
    const cases: [method: string, path: string, body: unknown, named: RegExp][] = [
      ["POST", "/apps", {}, /`app` is missing/],
      [
        "POST",
        "/apps",
        { app: "Game", maxConnections: 0.5, limit: 1 },
        /`app` must.*`maxConnections` must.*`limit` is no field/,
      ],
      ["POST", "/apps", { app: "a".repeat(33) }, /`app` must/],
      ["POST", "/apps", { app: "x", rules: {} }, /`rules` must be a list/],
      [
        "POST",
        "/apps",
        { app: "x", rules: [{ match: "a" }, { days: 1 }] },
        /`rules\[1\]\.match` is missing.*`rules\[1\]\.days` is no part/,
      ],
      ["POST", "/apps", { app: "x", expiresAt: 1_000 }, /`expiresAt` must be a time to come/],
      ["POST", "/apps", { app: "x", key: `y.k1:${"s".repeat(32)}` }, /`key` must read/],
      ["POST", "/apps", { app: "x", key: "x.k1:short" }, /`key` must read/],
      ["POST", "/apps", "[]", /must be a JSON object/],
      ["POST", "/apps", "{", /not JSON/],
      ["POST", "/apps", '{"app":"x","__proto__":{"admin":true}}', /`__proto__` is no field/],
      ["PATCH", "/apps/game", { rules: "x", expiresAt: "soon" }, /`rules` must.*`expiresAt` must/],
      ["PATCH", "/apps/game", { app: "other" }, /`app` is no field/],
      ["POST", "/apps/game/keys", { rights: ["all"], topics: ["a/*/b"] }, /`rights\.0` must.*`topics\.0` is wrong/],
      ["POST", "/apps/game/keys", { rights: [], topics: [] }, /`rights` must.*`topics` must/],
      ["POST", "/apps/game/keys", { topics: Array.from({ length: 21 }, (_, n) => `room/${n}`) }, /`topics` must/],
      ["GET", "/apps?limit=0&cursor=%20", undefined, /`cursor` must.*`limit` must/],
      ["GET", "/apps?limit=101", undefined, /`limit` must/],
    ];
    for (const [method, path, body, named] of cases) {
      const answer = await host.ask(method, path, { body });
      expect([body, answer]).toMatchObject([body, { status: 400, body: { code: "bad_request" } }]);
      expect(answer.body.detail).toMatch(named);
    }
    const { status, body } = await host.ask("POST", "/apps", { body: { app: "x", rules: ["x".repeat(64 * 1024)] } });
    expect([status, body.code, body.limit]).toEqual([413, "payload_too_large", 64 * 1024]);
    expect((await host.ask("GET", "/apps")).body.apps).toMatchObject([{ app: "game", rules: [] }]);
  });

  it("alone is let in, but health is everyone's", async () => {
    const { key: applicationKey } = await create({ app: "game" });
    const wrong = [null, "x", `${OPERATOR_KEY}x`, OPERATOR_KEY.toUpperCase(), applicationKey, "x".repeat(10_000)];
    for (const key of wrong) {
      for (const path of ["/apps", "/apps/game", "/apps/nothing", "/apps/game/keys"]) {
        expect(await host.ask("GET", path, { key })).toMatchObject({ status: 401, body: { code: "unauthorized" } });
      }
    }
    expect(await host.ask("GET", "/health", { key: null })).toEqual({ status: 200, body: { status: "ok" } });
  });
});

describe("open doors", () => {
  it("have no operator, whoever asks", async () => {
    const host = await startApplicationsHost({ environment: { OPEN: "yes" } });
    for (const key of [null, OPERATOR_KEY]) {
      const { status, body } = await host.ask("GET", "/apps", { key });
      expect([status, body.code, body.detail]).toEqual([403, "forbidden", expect.stringMatching(/OPERATOR_KEY_HASH/)]);
    }
    expect((await host.ask("GET", "/health", { key: null })).status).toBe(200);
    await host.close();
  });
});
