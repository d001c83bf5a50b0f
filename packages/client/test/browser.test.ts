import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from "@jest/globals";
import { type Host, startHost } from "@topicast/local";
import { type CuttableNetwork, createCuttableNetwork } from "@topicast/testing";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "./browser.ts";

/* Pages in the system's Chromium, with the script that the host serves, over a network that can be cut. */

jest.setTimeout(180_000);

const SERVICE = fileURLToPath(new URL("../../../services/message-topic", import.meta.url));
const MINUTE_MS = 60_000;
/** What a page does: it shows what comes, each once and in order, and remembers its states. */
const PAGE = (url: string) => `
  window.seen = []; window.lost = 0; window.states = []; window.longestMs = 0;
  let tickedAt = Date.now();
  setInterval(() => {
    longestMs = Math.max(longestMs, Date.now() - tickedAt);
    tickedAt = Date.now();
  }, 100);
  window.cast = topicast.connect(${JSON.stringify(url)});
  cast.on("state", (state) => states.push(state));
  window.room = cast.topic("room/1");
  room.on("message", ({ payload, me }) => seen.push([payload, me]));
  room.on("lost", () => lost++);
  new Promise((resolve) => room.on("subscribed", resolve));`;

let browser: Browser;
let host: Host;
let network: CuttableNetwork;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  host = await startHost({
    services: [SERVICE],
    port: 0,
    environment: { POWERTOOLS_LOG_LEVEL: "SILENT" },
    log: () => {},
  });
  network = await createCuttableNetwork(host.port);
});
afterEach(async () => {
  await network.close();
  await host.close();
});

async function openPage(): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${host.url}/`);
  await page.addScriptTag({ url: `${host.url}/topicast.js` });
  await page.evaluate(PAGE(`ws://127.0.0.1:${network.port}/message-topic`));
  return page;
}

async function publish(payload: unknown): Promise<void> {
  const body = JSON.stringify({ payload });
  await fetch(`${host.url}/message-topic/topics/room/1/messages`, { method: "POST", body });
}

const has = (page: Page, count: number) =>
  page.waitForFunction(`seen.length >= ${count}`, undefined, { timeout: 60_000 });
const seenOf = (page: Page) => page.evaluate("seen.map(([payload]) => payload)");
const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

it("has two pages chat", async () => {
  const [alice, bob] = [await openPage(), await openPage()];
  await alice.evaluate('room.publish("hi, I am Alice")');
  await Promise.all([has(alice, 1), has(bob, 1)]);
  await bob.evaluate('room.publish("hi, Alice")');
  await Promise.all([has(alice, 2), has(bob, 2)]);
  expect(await alice.evaluate("seen")).toEqual([
    ["hi, I am Alice", true],
    ["hi, Alice", false],
  ]);
  expect(await bob.evaluate("seen")).toEqual([
    ["hi, I am Alice", false],
    ["hi, Alice", true],
  ]);
});

it("misses nothing while the network is cut, and sends then what was published meanwhile", async () => {
  const [alice, bob] = [await openPage(), await openPage()];
  for (const n of count(1, 5)) await publish(n);
  await has(alice, 5);
  network.cut();
  await alice.waitForFunction('cast.state === "disconnected"');
  const published = alice.evaluate('room.publish("from the tunnel")');
  for (const n of count(6, 205)) await publish(n);
  network.mend();
  await published;
  for (const n of count(206, 210)) await publish(n);
  await Promise.all([has(alice, 211), has(bob, 211)]);
  for (const page of [alice, bob]) {
    const seen = (await seenOf(page)) as unknown[];
    expect(seen.filter((payload) => typeof payload === "number")).toEqual(count(1, 210));
    expect(seen.filter((payload) => payload === "from the tunnel")).toHaveLength(1);
    expect(await page.evaluate("lost")).toBe(0);
    expect(await page.evaluate("states.slice(0, 3)")).toEqual(["connected", "disconnected", "connected"]);
  }
});

// Headless Chromium has no background, and freezes nothing; its debugger stops all that a page does, as a frozen tab is stopped.
it("comes back complete after a minute in the background, where nothing of the page runs, and its connection dies", async () => {
  const page = await openPage();
  const session = await page.context().newCDPSession(page);
  await publish(1);
  await has(page, 1);
  await session.send("Debugger.enable");
  await session.send("Debugger.pause");
  const frozenAt = Date.now();
  for (let n = 2; Date.now() < frozenAt + MINUTE_MS; n++) {
    if (n === 20) network.silence();
    if (n === 40) network.mend();
    await publish(n);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  const last = (await lastNumber()) as number;
  expect(last).toBeGreaterThan(40);
  await session.send("Debugger.resume");
  await has(page, last);
  expect(await seenOf(page)).toEqual(count(1, last));
  expect(await page.evaluate("lost")).toBe(0);
  // Without this it would prove nothing.
  expect(await page.evaluate("longestMs")).toBeGreaterThan(MINUTE_MS - 2_000);
});

it("works in a worker", async () => {
  const page = await openPage();
  const code = `
    importScripts("${host.url}/topicast.js");
    const room = topicast.connect("ws://127.0.0.1:${network.port}/message-topic").topic("room/1");
    room.on("message", ({ payload, me }) => postMessage([payload, me]));
    room.publish("from a worker");`;
  const said = await page.evaluate(`new Promise((resolve, reject) => {
    const worker = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(code)}])));
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  })`);
  expect(said).toEqual(["from a worker", true]);
  await has(page, 1);
  // Another page, or a worker, is another client.
  expect(await page.evaluate("seen")).toEqual([["from a worker", false]]);
});

it("runs the README's page", async () => {
  const readme = await readFile(join(__dirname, "../README.md"), "utf8");
  const [, html = ""] = /```html\n(.*?)```/s.exec(readme) ?? [];
  const pages: Page[] = [];
  for (let n = 0; n < 2; n++) {
    const page = await (await browser.newContext()).newPage();
    await page.setContent(html.replaceAll("localhost:4000", `127.0.0.1:${host.port}`));
    pages.push(page);
  }
  const [one, other] = pages as [Page, Page];
  await one.fill("#text", "hi there");
  await one.press("#text", "Enter");
  await other.getByText("hi there").waitFor();
  expect(await one.locator("li").allTextContents()).toEqual(["me: hi there"]);
  expect(await other.locator("li").allTextContents()).toEqual(["hi there"]);
});

async function lastNumber(): Promise<unknown> {
  const state = await fetch(`${host.url}/message-topic/topics/room/1`);
  return ((await state.json()) as { seq: number }).seq;
}
