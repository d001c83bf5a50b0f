import { afterEach, describe, expect, it } from "@jest/globals";
import type { HostFaults, HostOptions } from "@topicast/local";
import { connectRawClient, type Frame, type RawClient } from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

let host: TopicHost;
afterEach(() => host.close());

async function start(options: Partial<HostOptions> = {}) {
  host = await startTopicHost(options);
}

const isMessages = ({ type }: Frame) => type === "messages";

async function subscribed(topic: string): Promise<RawClient> {
  const client = await connectRawClient(host.wsUrl);
  await client.request({ action: "subscribe", topic });
  return client;
}

async function connectionIdOf(client: RawClient): Promise<string> {
  return (await client.request({ action: "ping" })).connectionId;
}

describe("200 clients in 20 topics", () => {
  // Small topics are posted to by the publisher, larger ones by workers: both in one run.
  it.each([16, 0])(
    "every subscriber gets each message once, nobody else any (FANOUT_INLINE_MAX=%d)",
    async (inlineMax) => {
      await start({ environment: { FANOUT_INLINE_MAX: String(inlineMax) } });
      const topicsOf = (client: number) => [...new Set([client % 20, (client * 7 + 3) % 20])].map((n) => `room/${n}`);
      const clients = await Promise.all(Array.from({ length: 200 }, () => connectRawClient(host.wsUrl)));
      const you = await Promise.all(
        clients.map(async (client, index) => {
          const acks = await Promise.all(
            topicsOf(index).map((topic) => client.request({ action: "subscribe", topic })),
          );
          for (const ack of acks) expect(ack).toMatchObject({ type: "ack", action: "subscribe", seq: 0 });
          return acks[0].you;
        }),
      );

      const published = await Promise.all(
        clients.map(async (client, index) => {
          const topic = `room/${index % 20}`;
          const payload = { n: index, text: "ä→🎮" };
          const ack = await client.request({ action: "publish", topic, payload });
          expect(ack).toEqual({ type: "ack", id: ack.id, action: "publish", topic, epoch: ack.epoch, seq: ack.seq });
          return {
            topic,
            epoch: ack.epoch,
            message: { seq: ack.seq, payload, from: you[index], time: expect.any(Number) },
          };
        }),
      );

      for (const [index, client] of clients.entries()) {
        const expected = published.filter(({ topic }) => topicsOf(index).includes(topic));
        const frames = await client.count(expected.length, isMessages);
        const key = (frame: Frame) => `${frame.topic} ${String(frame.messages[0].seq).padStart(4)}`;
        const sorted = [...frames].sort((a, b) => (key(a) < key(b) ? -1 : 1));
        const wanted = expected
          .map(({ topic, epoch, message }) => ({ type: "messages", topic, epoch, messages: [message] }))
          .sort((a, b) => (key(a) < key(b) ? -1 : 1));
        expect(sorted).toEqual(wanted);
      }
      for (let n = 0; n < 20; n++) {
        const seqs = published.filter(({ topic }) => topic === `room/${n}`).map(({ message }) => message.seq);
        expect(seqs.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      }
      await Promise.all(clients.map((client) => client.request({ action: "ping" })));
      const frameCounts = clients.map((client) => client.frames.filter(isMessages).length);
      const wantedCounts = clients.map((_, index) => topicsOf(index).length * 10);
      expect(frameCounts).toEqual(wantedCounts);
    },
  );
});

describe("a client that vanished without closing", () => {
  it("is pruned at its first 410 and never posted to again", async () => {
    const posts: string[] = [];
    let ageMs = 0;
    let notice = () => {};
    const noticed = new Promise<void>((resolve) => {
      notice = resolve;
    });
    const faults: HostFaults = {
      // $disconnect is best effort on AWS: this one never comes.
      disconnect: () => {
        notice();
        return true;
      },
      request: (_, id) => {
        posts.push(id);
        return undefined;
      },
    };
    const clock = {
      now: () => Date.now() + ageMs,
      sleep: (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref()),
    };
    await start({ faults, clock });
    const [alice, bob] = await Promise.all([subscribed("room/1"), subscribed("room/1")]);
    const bobId = await connectionIdOf(bob);
    bob.vanish();
    await noticed;
    // Old enough that a 410 means gone, and not that a handshake is still under way.
    ageMs = 11_000;
    await alice.request({ action: "publish", topic: "room/1", payload: 1 });
    await alice.count(1, isMessages);
    expect(posts.filter((id) => id === bobId)).toHaveLength(1);
    await alice.request({ action: "publish", topic: "room/1", payload: 2 });
    await alice.count(2, isMessages);
    expect(posts.filter((id) => id === bobId)).toHaveLength(1);
  });
});

describe("a throttled post", () => {
  it.each([16, 0])("is tried again and arrives, and its client stays (FANOUT_INLINE_MAX=%d)", async (inlineMax) => {
    let refusals = 3;
    let throttled: string | undefined;
    const faults: HostFaults = { request: (_, id) => (id === throttled && refusals-- > 0 ? "throttled" : undefined) };
    await start({ faults, environment: { FANOUT_INLINE_MAX: String(inlineMax) } });
    const [alice, bob] = await Promise.all([subscribed("room/1"), subscribed("room/1")]);
    throttled = await connectionIdOf(bob);
    await alice.request({ action: "publish", topic: "room/1", payload: "first" });
    const [frame] = await bob.count(1, isMessages);
    expect(frame.messages).toMatchObject([{ seq: 1, payload: "first" }]);
    expect(refusals).toBeLessThanOrEqual(0);
    await alice.request({ action: "publish", topic: "room/1", payload: "second" });
    await bob.count(2, isMessages);
    expect(alice.frames.filter(isMessages)).toHaveLength(2);
    expect(bob.frames.filter(isMessages)).toHaveLength(2);
  });
});
