import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { Host } from "@topicast/local";
import { startServices } from "./hosts.ts";
import { jsonLines, run, start, TOPICAST } from "./topicast.ts";

jest.setTimeout(180_000);

let host: Host;
/** The operator's. */
let env: Record<string, string>;
beforeAll(async () => {
  host = await startServices(["message-topic"], { auth: true });
  env = { TOPICAST_URL: host.url, TOPICAST_OPERATOR_KEY: host.keys?.operator ?? "" };
});
afterAll(() => host.close());

async function json(args: readonly string[], environment = env): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await run([...args, "--json"], { env: environment });
  expect(stderr).toBe("");
  return jsonLines(stdout)[0] ?? {};
}

async function keyOf(app: string): Promise<string> {
  return String((await json(["apps", "create", app])).key);
}

describe("topicast apps", () => {
  it("creates, lists, shows and removes", async () => {
    const rules = '[{"match":"game/*","ephemeral":true}]';
    const args = ["apps", "create", "jam", "--expires", "2h", "--max-connections", "20", "--rules", rules];
    const before = Date.now();
    const created = await run(args, { env });
    expect(created).toMatchObject({ code: 0, stdout: expect.stringMatching(/^jam\.[a-z0-9]+:[\w-]{43}\n$/) });
    expect(created.stderr).toBe("Application jam is there. Its first key, shown this once:\n");

    const app = await json(["apps", "show", "jam"]);
    expect(app).toMatchObject({ app: "jam", maxConnections: 20, rules: [{ match: "game/*", ephemeral: true }] });
    expect(Number(app.expiresAt)).toBeGreaterThanOrEqual(before + 7_200_000);
    const shown = await run(["apps", "show", "jam"], { env });
    expect(shown.stdout).toMatch(/^max connections {2}20$/m);
    expect(JSON.stringify([app, shown.stdout])).not.toContain(created.stdout.split(":")[1]?.trim());

    const list = await run(["apps", "list"], { env });
    expect(list.stdout).toMatch(
      /^NAME +CREATED +EXPIRES +MAX CONNECTIONS\n(.*\n)*jam +\d{4}-\d\d-\d\d \d\d:\d\d .* 20\n/,
    );
    expect(list.stdout).not.toContain("\u001b");

    expect(await run(["apps", "rm", "jam", "--yes"], { env })).toMatchObject({
      code: 0,
      stdout: "Application jam is removed\n",
    });
    expect(await run(["apps", "show", "jam"], { env })).toMatchObject({
      code: 1,
      stderr: "error: There is no such application. (not_found)\n",
    });
  });

  it("lists all pages", async () => {
    const names = Array.from({ length: 105 }, (_, n) => `many-${n}`);
    for (const app of names) {
      const headers = { authorization: `Bearer ${host.keys?.operator}` };
      await fetch(`${host.url}/applications/apps`, { method: "POST", headers, body: JSON.stringify({ app }) });
    }
    const { stdout } = await run(["apps", "list", "--json"], { env });

    expect(JSON.parse(stdout).map(({ app }: { app: string }) => app)).toEqual(expect.arrayContaining(names));
  });

  it("asks on a terminal before it removes", async () => {
    await keyOf("asked");
    const command = `script -qec '"${TOPICAST}" apps rm asked' /dev/null`;
    const no = await run([], { env, shell: `echo n | ${command}` });
    expect(no.stdout).toContain("Remove application asked and all of its data? [y/N]");
    expect(no).toMatchObject({ code: 1, stdout: expect.stringContaining("Nothing was removed.") });

    const yes = await run([], { env, shell: `echo y | ${command}` });
    expect(yes).toMatchObject({ code: 0, stdout: expect.stringContaining("Application asked is removed") });
  });

  it.each([
    ["no key", {}],
    ["another key", { TOPICAST_OPERATOR_KEY: "x".repeat(40) }],
  ])("is refused with %s", async (_, wrong) => {
    const { code, stderr } = await run(["apps", "list"], { env: { TOPICAST_URL: host.url, ...wrong } });

    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .* \(unauthorized\)\n$/);
    expect(stderr).not.toContain("xxx");
  });

  it("tells what the service says of a name or rules that can't be", async () => {
    for (const args of [["Jam!"], ["jam2", "--rules", '[{"mood":1}]']]) {
      const { code, stderr } = await run(["apps", "create", ...args], { env });
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^error: .* \(bad_request\)\n$/) });
    }
  });
});

describe("topicast keys", () => {
  it("creates, lists and removes", async () => {
    await keyOf("team");
    const args = [
      "keys",
      "create",
      "team",
      "--rights",
      "publish,subscribe",
      "--topics",
      "room/*",
      "lobby",
      "--expires",
      "30d",
    ];
    const created = await run(args, { env });
    expect(created).toMatchObject({ code: 0, stderr: "A key of team, shown this once:\n" });
    const [, keyId = ""] = /^team\.(\w+):[\w-]{43}\n$/.exec(created.stdout) ?? [];

    const { stdout } = await run(["keys", "list", "team", "--json"], { env });
    const keys = JSON.parse(stdout);
    expect(keys).toHaveLength(2);
    expect(keys).toContainEqual(
      expect.objectContaining({ keyId, rights: ["publish", "subscribe"], topics: ["room/*", "lobby"] }),
    );
    const table = await run(["keys", "list", "team"], { env });
    expect(table.stdout).toMatch(new RegExp(`^${keyId} +publish, subscribe +room/\\*, lobby +\\d{4}`, "m"));

    expect(await run(["keys", "rm", "team", keyId], { env })).toMatchObject({
      code: 0,
      stdout: `Key ${keyId} of team is removed\n`,
    });
    expect((await run(["keys", "rm", "team", keyId], { env })).stderr).toBe(
      "error: There is no such key. (not_found)\n",
    );
    expect(JSON.parse((await run(["keys", "list", "team", "--json"], { env })).stdout)).toHaveLength(1);
  });
});

describe("with closed doors", () => {
  it("publishes with a key, and subscribes with a token that the key makes, or with one that was made before", async () => {
    const key = { TOPICAST_URL: host.url, TOPICAST_KEY: await keyOf("doors") };
    await json(["publish", "room/1", "hello"], key);
    const own = await run(["subscribe", "room/1", "--last", "1", "--count", "1"], { env: key });
    expect(jsonLines(own.stdout)).toMatchObject([{ payload: "hello" }]);

    const minted = await json(
      ["token", "--sub", "alice", "--cap", '{"room/*":["subscribe"]}', "--expires", "90s"],
      key,
    );
    expect(minted).toMatchObject({ sub: "alice", cap: { "room/*": ["subscribe"] } });
    expect(Number(minted.expiresAt)).toBeLessThanOrEqual(Date.now() + 90_000);
    const client = { TOPICAST_URL: host.url, TOPICAST_TOKEN: String(minted.token) };
    const given = await run(["subscribe", "room/1", "--last", "1", "--count", "1"], { env: client });
    expect(jsonLines(given.stdout)).toMatchObject([{ payload: "hello" }]);
    expect(await run(["subscribe", "lobby"], { env: client })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: .* lobby.* \(forbidden\)\n$/),
    });
  });

  it("keeps an application's topics from another's", async () => {
    const [one, two] = [await keyOf("one"), await keyOf("two")];
    const subscriber = start(["subscribe", "room/1", "--count", "1"], {
      env: { TOPICAST_URL: host.url, TOPICAST_KEY: one },
    });
    await subscriber.noted("Subscribed");
    await run(["publish", "room/1", "of two"], { env: { TOPICAST_URL: host.url, TOPICAST_KEY: two } });
    await run(["publish", "room/1", "of one"], { env: { TOPICAST_URL: host.url, TOPICAST_KEY: one } });

    expect(jsonLines((await subscriber.exit).stdout)).toMatchObject([{ payload: "of one", seq: 1 }]);
  });

  it.each([
    ["publish", ["publish", "room/1", "1"]],
    ["subscribe", ["subscribe", "room/1"]],
  ])("refuses %s without a key, and with a wrong one", async (_, args) => {
    for (const wrong of [{}, { TOPICAST_KEY: `default.k1:${"x".repeat(43)}` }]) {
      const { code, stderr } = await run(args, { env: { TOPICAST_URL: host.url, ...wrong } });
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^error: .* \(unauthorized\)\n$/) });
      expect(stderr).not.toContain("xxx");
    }
  });

  it("ends with 1 where a backend kicks it", async () => {
    const key = { TOPICAST_URL: host.url, TOPICAST_KEY: await keyOf("kicks") };
    const { token } = await json(["token", "--sub", "mallory", "--can", "subscribe"], key);
    const subscriber = start(["subscribe", "room/1"], {
      env: { TOPICAST_URL: host.url, TOPICAST_TOKEN: String(token) },
    });
    await subscriber.noted("Subscribed");
    const headers = { authorization: `Bearer ${key.TOPICAST_KEY}` };
    await fetch(`${host.url}/message-topic/users/mallory/connections`, { method: "DELETE", headers });

    expect(await subscriber.exit).toMatchObject({
      code: 1,
      stderr: "Subscribed to room/1.\nerror: The service ended this connection (kicked)\n",
    });
  });
});
