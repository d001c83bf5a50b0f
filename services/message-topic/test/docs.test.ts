import { join, resolve } from "node:path";
import { afterEach, expect, it, jest } from "@jest/globals";
import { mintToken } from "@topicast/core";
import { type Host, startHost } from "@topicast/local";
import { connectRawClient, type Frame, readCurls, runPrinted, withoutChance } from "@topicast/testing";

// A busy machine takes its time to start a host, and a curl for each line.
jest.setTimeout(120_000);

const ROOT = resolve(__dirname, "../../..");
const SERVICES = ["message-topic", "message-broadcast"].map((name) => join(ROOT, "services", name));
const environment = { POWERTOOLS_LOG_LEVEL: "SILENT" };

let host: Host;
afterEach(() => host.close());

/** Runs the lines of a page in order, and holds what they print against what it says. */
async function runPage(page: string, variables: Record<string, string> = {}): Promise<number> {
  const curls = await readCurls(join(ROOT, page));
  for (const curl of curls) {
    const printed = await runPrinted(curl, `127.0.0.1:${host.port}`, variables);
    const named = (lines: readonly string[]) => ({ command: curl.command, lines: lines.map(withoutChance) });
    if (curl.output.length > 0) expect(named(printed)).toEqual(named(curl.output));
  }
  return curls.length;
}

it("every curl line of docs/http.md does what the page says", async () => {
  host = await startHost({ services: SERVICES, port: 0, environment, auth: true });
  const { application = "", operator = "" } = host.keys ?? {};
  const token = await mintToken({ key: application, sub: "alice", cap: { "*": ["subscribe"] }, lifetimeMs: 600_000 });
  if (!token.ok) throw new Error(token.fault.message);
  const alice = await connectRawClient(`ws://127.0.0.1:${host.port}/message-topic?token=${token.value}`);
  const { connectionId: ID } = await alice.request({ action: "ping" });
  await alice.request({ action: "subscribe", topic: "room/1" });
  const keys = { TOPICAST_KEY: application, TOPICAST_OPERATOR_KEY: operator };
  expect(await runPage("docs/http.md", { ...keys, ID })).toBeGreaterThan(15);
  await alice.closed;
  const told = alice.frames.filter(({ type }: Frame) => ["direct", "closing"].includes(type));
  expect(told).toMatchObject([
    { topic: "room/1", reason: "deleted" },
    { payload: { done: true }, from: "jobs" },
    { payload: "to you alone" },
    { reason: "kicked", reconnect: false },
  ]);
});

it("every curl line of the README does what it says", async () => {
  host = await startHost({ services: SERVICES, port: 0, environment });
  const alice = await connectRawClient(`ws://127.0.0.1:${host.port}/message-topic?client=alice-on-her-laptop`);
  await alice.request({ action: "subscribe", topic: "room/1" });
  expect(await runPage("README.md")).toBeGreaterThanOrEqual(5);
  expect(await alice.frame(({ type }: Frame) => type === "direct")).toMatchObject({ payload: { job: 17, done: true } });
  const messages = alice.frames.filter(({ type }: Frame) => type === "messages");
  // A repeat with the same key may bring a copy; its number says so.
  expect(new Set(messages.map((frame: Frame) => frame.messages[0].seq))).toEqual(new Set([1, 2]));
});
