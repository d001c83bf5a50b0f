import { afterEach, expect, it, jest } from "@jest/globals";
import { DEFAULT_APP, publish } from "@topicast/core";
import { aTopic } from "@topicast/testing";
import { type GrowingTopic, startGrowingTopic } from "../../local/test/growing-topic.ts";
import { shareOf } from "../src/prices.ts";

/*
 * What a publish costs beside API Gateway's own charge, by what DynamoDB, SQS and `@connections` were asked over their own protocols.
 */

jest.setTimeout(60_000);

const KILOBYTE = "x".repeat(1_000);
/** As by default. */
const SETTINGS = { inlineMax: 16, shardMax: 5_000, pageSize: 500, maxAttempts: 6, maxSubscriptions: 100 };
/** The handler's look at who publishes, before the use case that is counted here. */
const SENDER_READ_UNITS = 0.5;
const name = aTopic("cost");

let topic: GrowingTopic;
afterEach(() => topic.close());

async function publishTo(subscribers: number, ephemeral: boolean) {
  topic = await startGrowingTopic(name, SETTINGS);
  await topic.resize(subscribers);
  const { publisher, worker } = topic;
  const input = { app: DEFAULT_APP, topic: name, payloads: [KILOBYTE], echo: true, ephemeral };
  // The topic's first publish begins it.
  await publish(publisher.service, { ...input, ephemeral: false });
  await topic.work();
  const postsBefore = await topic.postCount();
  const sendsBefore = publisher.sends() + worker.sends();
  let batches = 0;
  const asked = await publisher.meter.measure(() => publish(publisher.service, input));
  const done = await worker.meter.measure(async () => {
    ({ batches } = await topic.work());
  });
  expect(topic.lines).toEqual([]);
  const counts = {
    readUnits: SENDER_READ_UNITS + asked.read + done.read,
    writeUnits: asked.write + done.write,
    // Each batch is received and deleted, too.
    queueRequests: publisher.sends() + worker.sends() - sendsBefore + 2 * batches,
    posts: (await topic.postCount()) - postsBefore,
  };
  expect(counts.posts).toBe(subscribers);
  return { counts, batches };
}

it.each([
  ["to 10 subscribers", 10, false, 0.2],
  ["to 10 subscribers, ephemeral", 10, true, 0.06],
  ["to 1,000 subscribers", 1_000, false, 0.02],
] as const)("a publish of 1 KB %s costs little beside its posts", async (_, subscribers, ephemeral, most) => {
  const published = await publishTo(subscribers, ephemeral);
  const share = shareOf(published);
  process.stdout.write(`${JSON.stringify(published.counts)}: ${(share * 100).toFixed(2)} % of API Gateway's charge\n`);
  expect(share).toBeLessThanOrEqual(most);
});
