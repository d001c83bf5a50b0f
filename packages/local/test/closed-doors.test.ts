import { afterEach, expect, it } from "@jest/globals";
import { type HostOptions, StartError } from "../src/index.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { connectClient } from "./web-socket-client.ts";

const SECRET = "s".repeat(32);
/** Bundling the SDK takes seconds where the machine is busy. */
const WIRE_MS = 60_000;
const OPERATOR = "o".repeat(32);

let host: FixtureHost | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

/** With a fixture in place of the service `applications`, which answers nobody but the operator. */
async function start(names: string[], options: Omit<HostOptions, "services" | "port">): Promise<FixtureHost> {
  host = await startFixtures([...names, "applications"], options);
  return host;
}

it("has keys, and made the application with them", async () => {
  const { keys, credentials } = await start([], { auth: true });
  expect(keys?.application).toMatch(/^default\.k1:/);
  expect(keys?.operator).toMatch(/^[\w-]{43}$/);
  expect(credentials?.accessKeyId).toMatch(/^ASIA[0-9A-F]{16}$/);
});

it("takes the keys that are given, so that a restart changes nothing for backends", async () => {
  const given = { application: `default.k7:${SECRET}`, operator: OPERATOR };
  expect((await start([], { auth: given })).keys).toEqual(given);
});

it("makes fresh ones where an empty one is given", async () => {
  const { keys } = await start([], { auth: { application: "", operator: "" } });
  expect(keys?.application).toMatch(/^default\./);
  expect(keys?.operator).toHaveLength(43);
});

it.each([
  [{ application: `room.k1:${SECRET}` }, "TOPICAST_KEY"],
  [{ application: `default.k1:${SECRET.slice(1)}` }, "TOPICAST_KEY"],
  [{ application: SECRET }, "TOPICAST_KEY"],
  [{ operator: OPERATOR.slice(1) }, "TOPICAST_OPERATOR_KEY"],
])("doesn't start with a key of the wrong form, and doesn't repeat it: %j", async (auth, name) => {
  const starting = start([], { auth });
  await expect(starting).rejects.toThrow(StartError);
  await expect(starting).rejects.toThrow(name);
  for (const key of Object.values(auth)) await expect(starting).rejects.not.toThrow(key);
});

it("doesn't start where the application can't be created", async () => {
  const starting = start([], { auth: true, environment: { ENCRYPTION_KEY: "short" } });
  await expect(starting).rejects.toThrow('The application "default" can\'t be created: 401 no operator');
});

it("has none with open doors", async () => {
  expect(await start([], {})).not.toHaveProperty("keys");
});

it(
  "over the wire gives handlers credentials that the real SDK signs with, and others can't guess",
  async () => {
    const { credentials, ...started } = await start(["wire"], { auth: true, wire: {} });
    const described = await fetch(`${started.url}/wire/environment`);
    const { environment } = (await described.json()) as { environment: Record<string, string> };
    expect(environment).toMatchObject({
      OPEN: "",
      AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
      AWS_SESSION_TOKEN: credentials?.sessionToken,
    });
    // None of its business.
    expect(environment).not.toHaveProperty("OPERATOR_KEY_HASH");

    const client = await connectClient(started.webSocketUrl("wire"));
    const ask = (what: string, of: string) =>
      fetch(`${started.url}/wire/ask`, { method: "POST", body: JSON.stringify({ what, of }) });
    const found = (await (await ask("find", "1")).json()) as { output: { Item: { id: { S: string } } } };
    const id = found.output.Item.id.S;
    expect(await (await ask("post", id)).json()).toEqual({ output: {} });
    expect(await client.next()).toBe("posted");
    const unsigned = await fetch(`${started.url}/wire/@connections/${id}`, { method: "POST", body: "hi" });
    expect([unsigned.status, await unsigned.text()]).toEqual([403, '{"message":"Missing Authentication Token"}']);
    expect(started.lines).toEqual([]);
  },
  WIRE_MS,
);
