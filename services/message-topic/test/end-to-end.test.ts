import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { HostFaults, HostOptions } from "@topicast/local";
import { connectRawClient, type Frame, fewAtATime, type RawClient } from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// Emulators of DynamoDB and SQS are slower than memory, and 200 clients ask much of them.
jest.setTimeout(120_000);

let host: TopicHost;
afterEach(() => host.close());

/** The same service over the drivers of a laptop and over those of AWS. */
const BACKENDS: readonly [string, Partial<HostOptions>][] = [
  ["in memory", {}],
  ["over the wire", { wire: { visibilityTimeoutSeconds: 5 } }],
];
// Small topics are posted to by the publisher, larger ones by workers.
const PATHS = BACKENDS.flatMap(([name, options]) => [16, 0].map((inlineMax) => [name, inlineMax, options] as const));

const isMessages = ({ type }: Frame) => type === "messages";
const placeOf = ({ topic, messages }: Frame) => `${topic} ${messages[0].seq}`;

/** Without the copies that may come where a post's answer is late: it is then posted again. */
function isFirstCopy(frame: Frame, index: number, frames: readonly Frame[]): boolean {
  if (!isMessages(frame)) return false;
  return index === frames.findIndex((other) => isMessages(other) && placeOf(other) === placeOf(frame));
}

/** On a busy machine an emulator may be later than the SDK waits: then what a client does is asked for again. */
async function insist(client: RawClient, request: object): Promise<Frame> {
  for (;;) {
    const reply = await client.request(request);
    if (reply.code !== "unavailable") return reply;
  }
}

async function subscribed(topic: string): Promise<RawClient> {
  const client = await connectRawClient(host.wsUrl);
  await client.request({ action: "subscribe", topic });
  return client;
}

async function connectionIdOf(client: RawClient): Promise<string> {
  return (await client.request({ action: "ping" })).connectionId;
}

describe("200 clients in 20 topics", () => {
  it.each(PATHS)(
    "every subscriber gets each message once, nobody else any: %s, FANOUT_INLINE_MAX=%d",
    async (_, inlineMax, backend) => {
      host = await startTopicHost({ ...backend, environment: { FANOUT_INLINE_MAX: String(inlineMax) } });
      const topicsOf = (client: number) => [...new Set([client % 20, (client * 7 + 3) % 20])].map((n) => `room/${n}`);
      const clients = await fewAtATime(Array(200).fill(host.wsUrl), (url) => connectRawClient(url));
      const you = await fewAtATime(clients, async (client, index) => {
        const acks = await Promise.all(topicsOf(index).map((topic) => insist(client, { action: "subscribe", topic })));
        for (const ack of acks) expect(ack).toMatchObject({ type: "ack", action: "subscribe", seq: 0 });
        return acks[0].you;
      });

      const published = await fewAtATime(clients, async (client, index) => {
        const topic = `room/${index % 20}`;
        const payload = { n: index, text: "ä→🎮" };
        const key = `k${index}`;
        const ack = await insist(client, { action: "publish", topic, payload, key });
        expect(ack).toEqual({ type: "ack", id: ack.id, action: "publish", topic, epoch: ack.epoch, seq: ack.seq });
        return {
          topic,
          epoch: ack.epoch,
          message: { seq: ack.seq, payload, from: you[index], time: expect.any(Number), key },
        };
      });

      for (const [index, client] of clients.entries()) {
        const expected = published.filter(({ topic }) => topicsOf(index).includes(topic));
        const frames = await client.count(expected.length, isFirstCopy);
        const key = (frame: Frame) => `${frame.topic} ${String(frame.messages[0].seq).padStart(4)}`;
        const sorted = [...frames].sort((a, b) => (key(a) < key(b) ? -1 : 1));
        const wanted = expected
          .map(({ topic, epoch, message }) => ({ type: "messages", topic, epoch, messages: [message] }))
          .sort((a, b) => (key(a) < key(b) ? -1 : 1));
        expect(sorted).toEqual(wanted);
      }
      for (let n = 0; n < 20; n++) {
        const seqs = published.filter(({ topic }) => topic === `room/${n}`).map(({ message }) => message.seq);
        expect(new Set(seqs).size).toBe(10);
        // In memory nothing is late, so no number is void.
        if (backend.wire === undefined) expect(Math.max(...seqs)).toBe(10);
      }
      await Promise.all(clients.map((client) => client.request({ action: "ping" })));
      // Nor does anything come twice there.
      const isCounted = backend.wire === undefined ? isMessages : isFirstCopy;
      const frameCounts = clients.map((client) => client.frames.filter(isCounted).length);
      const wantedCounts = clients.map((_, index) => topicsOf(index).length * 10);
      expect(frameCounts).toEqual(wantedCounts);
    },
  );
});

describe("a client that vanished without closing", () => {
  it.each(BACKENDS)("is pruned at its first 410 and never posted to again: %s", async (_, backend) => {
    const posts: string[] = [];
    // Connections are made in the past: old enough that a 410 means gone, and not that a handshake is still under way.
    let ageMs = -11_000;
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
    host = await startTopicHost({ ...backend, faults, clock });
    const [alice, bob] = await Promise.all([subscribed("room/1"), subscribed("room/1")]);
    const bobId = await connectionIdOf(bob);
    bob.vanish();
    await noticed;
    ageMs = 0;
    await alice.request({ action: "publish", topic: "room/1", payload: 1 });
    await alice.count(1, isMessages);
    expect(posts.filter((id) => id === bobId)).toHaveLength(1);
    await alice.request({ action: "publish", topic: "room/1", payload: 2 });
    await alice.count(2, isMessages);
    expect(posts.filter((id) => id === bobId)).toHaveLength(1);
  });
});

describe("a throttled post", () => {
  it.each(PATHS)(
    "is tried again and arrives, and its client stays: %s, FANOUT_INLINE_MAX=%d",
    async (_, inlineMax, backend) => {
      let refusals = 2;
      let throttled: string | undefined;
      const faults: HostFaults = { request: (_, id) => (id === throttled && refusals-- > 0 ? "throttled" : undefined) };
      host = await startTopicHost({ ...backend, faults, environment: { FANOUT_INLINE_MAX: String(inlineMax) } });
      const [alice, bob] = await Promise.all([subscribed("room/1"), subscribed("room/1")]);
      throttled = await connectionIdOf(bob);
      await alice.request({ action: "publish", topic: "room/1", payload: "first" });
      const [frame] = await bob.count(1, isMessages);
      expect(frame.messages).toMatchObject([{ seq: 1, payload: "first" }]);
      expect(refusals).toBeLessThanOrEqual(0);
      await alice.request({ action: "publish", topic: "room/1", payload: "second" });
      await bob.count(2, isMessages);
      await alice.count(2, isMessages);
      expect(alice.frames.filter(isMessages)).toHaveLength(2);
      expect(bob.frames.filter(isMessages)).toHaveLength(2);
    },
  );
});

describe("a client that closes", () => {
  it.each(BACKENDS)("is forgotten with its subscriptions, and not posted to: %s", async (_, backend) => {
    const posts: string[] = [];
    const faults: HostFaults = {
      request: (_service, id) => {
        posts.push(id);
        return undefined;
      },
    };
    host = await startTopicHost({ ...backend, faults });
    const [alice, bob] = await Promise.all([subscribed("room/1"), subscribed("room/1")]);
    const bobId = await connectionIdOf(bob);
    await bob.close();
    // `$disconnect` runs by itself. Were it not for that, so young a connection would be posted to for ten seconds more.
    for (let time = 0; time < 50; time++) {
      posts.length = 0;
      await alice.request({ action: "publish", topic: "room/1", payload: time });
      if (!posts.includes(bobId)) break;
    }
    expect(posts).not.toContain(bobId);
  });
});

describe("a job whose worker fails", () => {
  it("comes again: in memory", async () => {
    let failures = 2;
    host = await startTopicHost({
      environment: { FANOUT_INLINE_MAX: "0" },
      ports: (ports) => ({
        ...ports,
        gateway: {
          ...ports.gateway,
          post: (...call) => (failures-- > 0 ? Promise.reject(new Error("a bug")) : ports.gateway.post(...call)),
        },
      }),
    });
    const alice = await subscribed("room/1");
    await alice.request({ action: "publish", topic: "room/1", payload: 1 });
    await alice.count(1, isMessages);
    expect(failures).toBeLessThanOrEqual(0);
  });
});
