import { afterEach, expect, it } from "@jest/globals";
import { connectRawClient, type Frame } from "@topicast/testing";
import { type OfflineHost, startOffline } from "./offline-host.ts";

const STARTING_MS = 120_000;

let host: OfflineHost | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
}, STARTING_MS);

const isMessages = ({ type }: Frame) => type === "messages";

it(
  "serverless-offline runs message-topic: clients connect, subscribe, publish and get the messages",
  async () => {
    host = await startOffline("message-topic");
    const { wsUrl, httpUrl } = host;
    const [alice, bob] = await Promise.all([connectRawClient(wsUrl), connectRawClient(wsUrl)]);
    for (const client of [alice, bob]) {
      const ack = await client.request({ action: "subscribe", topic: "room/1" });
      expect(ack).toMatchObject({ type: "ack", action: "subscribe", topic: "room/1", seq: 0 });
    }

    const ack = await alice.request({ action: "publish", topic: "room/1", payload: { x: 1 } });
    expect(ack).toMatchObject({ type: "ack", action: "publish", seq: 1 });
    const url = `${httpUrl}/topics/room/1/messages`;
    const response = await fetch(url, { method: "POST", body: '{"payload":"from a backend"}' });
    expect([response.status, await response.json()]).toMatchObject([202, { topic: "room/1", seq: 2 }]);

    for (const client of [alice, bob]) {
      const frames = await client.count(2, isMessages);
      expect(frames.flatMap(({ messages }) => messages)).toMatchObject([
        { seq: 1, payload: { x: 1 } },
        { seq: 2, payload: "from a backend" },
      ]);
    }
    await Promise.all([alice.close(), bob.close()]);
  },
  STARTING_MS,
);

it(
  "serverless-offline runs message-broadcast: whoever is connected gets what anyone sends",
  async () => {
    host = await startOffline("message-broadcast");
    const { wsUrl, httpUrl } = host;
    const alice = await connectRawClient(wsUrl);
    const bob = await connectRawClient(wsUrl);
    alice.send("hi there");
    const isHi = ({ data }: Frame) => data === "hi there";
    expect(await alice.frame(isHi)).toMatchObject({ _me: true, _seq: 1 });
    expect(await bob.frame(isHi)).toMatchObject({ _me: false, _seq: 1 });

    const response = await fetch(`${httpUrl}/messages`, { method: "POST", body: '{"from":"a backend"}' });
    expect([response.status, await response.json()]).toMatchObject([202, { seq: 2 }]);
    expect(await bob.frame(({ from }) => from === "a backend")).toMatchObject({ _me: false, _seq: 2 });
    await Promise.all([alice.close(), bob.close()]);
  },
  STARTING_MS,
);
