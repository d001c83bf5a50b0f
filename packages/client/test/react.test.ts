import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Cast } from "@topicast/client";
import { useConnectionState, useTopic } from "@topicast/client/react";
import { type Host, startHost } from "@topicast/local";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { launchBrowser } from "./browser.ts";
import { createHarness } from "./client-harness.ts";

const SERVICE = fileURLToPath(new URL("../../../services/message-topic", import.meta.url));
const ROOM = "/message-topic/topics/room";

let browser: Browser;
let host: Host;
let page: Page;

beforeAll(async () => {
  host = await startHost({
    services: [SERVICE],
    port: 0,
    environment: { POWERTOOLS_LOG_LEVEL: "SILENT" },
    log: () => {},
  });
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(`${host.url}/`);
  await page.evaluate(`window.page = { url: "ws://127.0.0.1:${host.port}/message-topic" }`);
  await page.addScriptTag({ content: await bundlePage() });
});
afterAll(async () => {
  await browser?.close();
  await host.close();
});

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "fixtures/react-page.ts")],
    bundle: true,
    format: "iife",
    define: { "process.env.NODE_ENV": '"development"' },
    write: false,
  });
  return outputFiles[0]!.text;
}

async function publish(room: number, payload: string): Promise<void> {
  await fetch(`${host.url}${ROOM}/${room}/messages`, { method: "POST", body: JSON.stringify({ payload }) });
}

async function subscribers(room: number): Promise<number> {
  const state = await fetch(`${host.url}${ROOM}/${room}`);
  return ((await state.json()) as { subscribers: number }).subscribers;
}

/** Resolves with what is shown when that says so. */
async function shown(says: string): Promise<unknown> {
  const condition = `(() => { const text = document.querySelector("output")?.textContent; if (!text) return false; const shown = JSON.parse(text); return (${says}) && shown; })()`;
  return (await page.waitForFunction(condition)).jsonValue();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

it("holds the newest messages, and tells of each", async () => {
  await shown('shown.state === "connected"');
  await until(async () => (await subscribers(1)) === 1);
  for (const payload of ["a", "b", "c", "d"]) await publish(1, payload);
  await page.evaluate('publish("e")');
  expect(await shown("shown.calls.length === 5")).toEqual({
    room: "room/1",
    state: "connected",
    messages: ["c", "d", "e"],
    calls: ["a", "b", "c", "d", "e"],
    lost: false,
  });
});

it("changes the topic, and leaves with the component", async () => {
  await page.evaluate('setRoom("room/2")');
  await shown('shown.room === "room/2" && shown.messages.length === 0');
  await until(async () => (await subscribers(1)) === 0 && (await subscribers(2)) === 1);
  await publish(1, "of the other room");
  await publish(2, "f");
  expect(await shown("shown.messages.length > 0")).toMatchObject({ messages: ["f"] });
  await page.evaluate("setRoom(undefined)");
  await until(async () => (await subscribers(2)) === 0);
});

it("says what the service refused", async () => {
  await page.evaluate('setRoom("no//topic")');
  expect(await shown("shown.error")).toMatchObject({ error: "invalid_topic", messages: [] });
});

it("renders on a server, where nothing is subscribed", () => {
  const { open, service } = createHarness();
  const cast: Cast = open();
  const View = () =>
    createElement("p", {}, `${useConnectionState(cast)}, ${useTopic(cast, "room/1").messages.length} messages`);
  expect(renderToString(createElement(View))).toBe("<p>connecting, 0 messages</p>");
  expect(service.requests("subscribe")).toEqual([]);
  cast.close();
});
