import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { DEFAULT_APP, publish } from "@topicast/core";
import { aTopic } from "@topicast/testing";
import { type GrowingTopic, startGrowingTopic } from "./growing-topic.ts";

/*
 * A topic from three subscribers to 20,000 and back, over DynamoDB's, SQS's and `@connections`' own protocols. Nobody sets how many shards it has.
 */

jest.setTimeout(240_000);

const name = aTopic("stadium");
const SETTINGS = { inlineMax: 16, shardMax: 100, pageSize: 100, maxAttempts: 6, maxSubscriptions: 100 };
/** Of the 30 s that a worker has. It begins no page in the last ten. */
const WORKER_MS = 30_000;

let topic: GrowingTopic;
beforeEach(async () => {
  topic = await startGrowingTopic(name, SETTINGS);
});
afterEach(() => topic.close());

async function shards(): Promise<number | undefined> {
  const query = { app: DEFAULT_APP, topic: name, limit: 1, freshness: "fresh" } as const;
  return (await topic.publisher.service.connections.subscribers(query)).shards;
}

/** Publishes, lets the workers do their jobs, and expects that every subscriber was posted to once; what that cost the publisher. */
async function publishToAll() {
  const { service, meter, sends } = topic.publisher;
  const sentBefore = sends();
  let seq = 0;
  const units = await meter.measure(async () => {
    const input = { app: DEFAULT_APP, topic: name, payloads: ["goal"], echo: true, ephemeral: false };
    const published = await publish(service, input);
    if (published.ok) seq = published.value?.seq ?? 0;
  });
  const sent = sends() - sentBefore;
  const { longestMs } = await topic.work();
  expect(longestMs).toBeLessThan(WORKER_MS);
  // Nothing failed, so that nothing had to be posted again.
  expect(topic.lines).toEqual([]);
  const posts = await topic.posts(seq);
  expect([...posts.values()].filter((count) => count !== 1)).toEqual([]);
  expect([...posts.keys()].sort()).toEqual([...topic.subscribers].sort());
  return { ...units, sent };
}

it("is posted to by as many workers as it needs, at the same cost to its publisher", async () => {
  await topic.resize(3);
  expect(await publishToAll()).toEqual({ read: 1, write: 2, sent: 0 });
  await topic.resize(40);
  const cost = await publishToAll();
  expect(cost).toEqual({ read: 1, write: 2, sent: 1 });
  for (const [subscribers, becomes] of [
    [120, 2],
    [240, 4],
    [480, 8],
    [960, 16],
    [20_000, 32],
  ] as const) {
    await topic.resize(subscribers);
    expect(await publishToAll()).toEqual(cost);
    expect(await shards()).toBe(becomes);
  }

  await topic.resize(300);
  expect(await publishToAll()).toEqual(cost);
  expect(await shards()).toBe(16);
  await topic.resize(3);
  // Once, to say that it has one shard again.
  expect(await publishToAll()).toEqual({ read: 1, write: 3, sent: 0 });
  expect(await shards()).toBe(1);
  expect(await publishToAll()).toEqual({ read: 1, write: 2, sent: 0 });
});
