import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { type Host, startHost } from "@topicast/local";
import { connectRawClient, type RawClient } from "@topicast/testing/raw-client";

/*
 * Ticks over the wire: the real handlers and SDK clients, DynamoDB as dynalite and SQS as fauxqs. The tick is a long one, so that what a test publishes at once falls
 * into one however busy the machine is.
 */

jest.setTimeout(60_000);

const TICK_MS = 1_000;
const topic = "game/1";
const isMessages = ({ type }: { type: string }) => type === "messages";

let host: Host;
let clients: RawClient[];

beforeEach(async () => {
  const environment = {
    TOPIC_RULES: JSON.stringify([{ match: "game/*", tickMs: TICK_MS }]),
    POWERTOOLS_LOG_LEVEL: "SILENT",
  };
  host = await startHost({ services: [`${__dirname}/..`], port: 0, wire: {}, environment, log: () => {} });
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.vanish();
  await host.close();
});

async function join(): Promise<RawClient> {
  const client = await connectRawClient(`ws://127.0.0.1:${host.port}/message-topic`);
  clients.push(client);
  await client.request({ action: "subscribe", topic });
  return client;
}

it("posts what came in within a tick in one frame, positions the newest alone, and nobody its own who wants none", async () => {
  const [alice, bob] = [await join(), await join()];
  const publish = (payload: string, fields: object = {}) =>
    alice.request({ action: "publish", topic, payload, ...fields });
  const before = host.wire?.counts();
  const { epoch } = await publish("first");
  await publish("position 1", { latest: "position" });
  await publish("second", { echo: false });
  await publish("position 2", { latest: "position" });
  const received = (client: RawClient, count: number) =>
    client.count(1, (_, __, frames) => frames.filter(isMessages).flatMap(({ messages }) => messages).length >= count);
  await received(bob, 3);
  await received(alice, 2);
  const ofBob = bob.frames.filter(isMessages);
  const all = ofBob.flatMap(({ messages }) => messages);
  expect(all.filter(({ seq }) => seq !== undefined)).toMatchObject([
    { seq: 1, payload: "first" },
    { seq: 2, payload: "second" },
  ]);
  expect(all.at(-1)).toMatchObject({ payload: "position 2" });
  expect(ofBob[0]).toMatchObject({ topic, epoch });
  const ofAlice = alice.frames
    .filter(isMessages)
    .flatMap(({ messages }) => messages.map(({ payload }: { payload: string }) => payload));
  expect(ofAlice).not.toContain("second");
  // As many as ticks, not as messages: two, where the machine was so slow that the four did not fall into one.
  const posts = (host.wire?.counts().posts ?? 0) - (before?.posts ?? 0);
  expect(posts).toBeLessThanOrEqual(4);
});

it("loses nothing and keeps the order of many publishers over several ticks, and recovery finds the same", async () => {
  const [alice, bob] = [await join(), await join()];
  const publishing = Array.from({ length: 30 }, (_, i) =>
    (i % 2 === 0 ? alice : bob).request({ action: "publish", topic, payload: i, key: `k${i}` }),
  );
  const acks = await Promise.all(publishing);
  expect(acks.filter(({ type }) => type !== "ack")).toEqual([]);
  const isAll = (_: object, __: number, frames: readonly { type: string; messages: object[] }[]) =>
    frames.filter(isMessages).flatMap(({ messages }) => messages).length >= 30;
  await bob.count(1, isAll);
  const live = bob.frames.filter(isMessages).flatMap(({ messages }) => messages);
  expect(live.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  const history = await alice.request({ action: "history", topic, since: { epoch: acks[0].epoch, seq: 0 } });
  expect(history.messages).toEqual(live);
  expect(bob.frames.filter(isMessages).length).toBeLessThan(30);
});
