import { EventEmitter, once } from "node:events";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { systemClock } from "@topicast/core";
import type { HostFaults, Wire, WireFault, WireInput } from "@topicast/local";
import { aJob, aSubscriber, connectRawClient, fewAtATime, type RawClient } from "@topicast/testing";
import { createSqsQueue } from "../../../packages/core/src/drivers/fanout-queue/sqs.ts";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// What holds while DynamoDB, SQS or API Gateway fail: nothing acknowledged is lost, and nobody is evicted but by a 410.

// A message that is lost is one that a test waits for in vain.
jest.setTimeout(120_000);

const TOPIC = "room/1";
/** How often the SDK asks DynamoDB before it gives up. */
const SDK_ATTEMPTS = 3;
/** Longer than a worker takes to give up on a DynamoDB that throttles. */
const VISIBILITY_TIMEOUT_SECONDS = 3;
const TO_THE_QUEUE = { FANOUT_INLINE_MAX: "0" };
/** What each asks of DynamoDB, as `stepOf` names it. */
const PUBLISH_STEPS = ["UpdateItem topic", "PutItem log", "Query subscription"];
const SUBSCRIBE_STEPS = ["UpdateItem connection", "PutItem subscription", "GetItem topic"];
/** Partitions begin with the letter of what their rows are. */
const ROWS: Readonly<Record<string, string>> = { c: "connection", l: "log", s: "subscription", t: "topic" };

let host: TopicHost;
let faults: HostFaults;
/** What the host said of functions that failed. */
let lines: string[];
/** Numbers of the messages that were acknowledged. */
let acknowledged: number[];

/** How late the host's clock is, so that any connection looks old to handlers, and a 410 counts. */
let lateMs: number;
const clock = {
  now: () => Date.now() - lateMs,
  // In steps, as a test may set it forward meanwhile.
  async sleep(ms: number) {
    for (const until = clock.now() + ms; clock.now() < until; )
      await new Promise((resolve) => void setTimeout(resolve, Math.min(100, until - clock.now())).unref());
  },
};

beforeEach(() => {
  [faults, lines, acknowledged, lateMs] = [{}, [], [], 60_000];
});
afterEach(() => host.close());

/** Longer than a first try and its retry take. */
const THROTTLED_MS = 2_000;

async function start(count: number, environment: Record<string, string> = {}): Promise<RawClient[]> {
  const wire = { visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS };
  host = await startTopicHost({ wire, faults, environment, clock, log: lines.push.bind(lines) });
  return fewAtATime(Array(count).fill(host.wsUrl), async (url) => {
    const client = await connectRawClient(url);
    await acknowledge(client, "subscribe");
    return client;
  });
}

const ask = (client: RawClient, action: string, payload?: unknown) => client.request({ action, topic: TOPIC, payload });

async function acknowledge(client: RawClient, action: string, payload?: unknown): Promise<number> {
  const ack = await ask(client, action, payload);
  expect(ack).toMatchObject({ type: "ack", action, topic: TOPIC });
  if (action === "publish") acknowledged.push(ack.seq);
  return ack.seq;
}

const publish = ([client]: readonly RawClient[], payload: unknown) =>
  acknowledge(client as RawClient, "publish", payload);

async function expectUnavailable(client: RawClient | undefined, action: string): Promise<void> {
  const reply = await ask(client as RawClient, action, "refused");
  expect(reply).toMatchObject({ type: "error", action, topic: TOPIC, code: "unavailable" });
}

const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const targetOf = async (client: RawClient) =>
  aSubscriber({ id: (await client.request({ action: "ping" })).connectionId, connectedAt: Date.now() });

function seqsOf({ frames }: RawClient): number[] {
  return ascending(frames.flatMap(({ messages = [] }) => messages).map(({ seq }) => seq));
}

/** Resolves when each has all of these. */
async function arrived(clients: readonly RawClient[], seqs: readonly number[]): Promise<void> {
  const hasAll = (client: RawClient) => seqs.every((seq) => seqsOf(client).includes(seq));
  await Promise.all(clients.map((client) => client.frame(() => hasAll(client))));
}

/** Now that nothing fails, one more message reaches all, as has what was acknowledged before; and no row was removed. */
async function expectNothingLost(clients: readonly RawClient[]): Promise<void> {
  for (const name of Object.keys(faults)) delete faults[name as keyof HostFaults];
  await publish(clients, "last");
  await arrived(clients, acknowledged);
  const { DeleteItem, BatchWriteItem } = host.wire?.counts().storeRequests ?? {};
  expect([DeleteItem, BatchWriteItem]).toEqual([undefined, undefined]);
}

async function expectEachOnce(clients: readonly RawClient[]): Promise<void> {
  await expectNothingLost(clients);
  for (const client of clients) expect(seqsOf(client)).toEqual(ascending(acknowledged));
}

function stepOf(operation: string, { Key, Item, ExpressionAttributeValues }: WireInput): string {
  const attributes = (Key ?? Item ?? ExpressionAttributeValues ?? {}) as Record<string, { readonly S: string }>;
  return `${operation} ${ROWS[(attributes.p ?? attributes[":p"])?.S[0] ?? ""]}`;
}

/** Spoils the first `times` requests of a step; returns how many there were. */
function failStep(step: string, fault: WireFault, times = Number.POSITIVE_INFINITY): () => number {
  let asked = 0;
  faults.store = (...request) => (stepOf(...request) === step && ++asked <= times ? fault : undefined);
  return () => asked;
}

describe("DynamoDB throttles for a moment", () => {
  it.each(PUBLISH_STEPS)("nobody notices: a publish at %s", async (step) => {
    const clients = await start(2);
    const asked = failStep(step, "throttle", SDK_ATTEMPTS - 1);
    await publish(clients, "taken");
    // More where its number was void by then.
    expect(asked()).toBeGreaterThanOrEqual(SDK_ATTEMPTS);
    await expectEachOnce(clients);
  });
});

// What is dropped is the answer to a request that was applied.
describe.each(["throttle", "hang", "dropAnswer"] as const)("DynamoDB fails for longer: %s", (fault) => {
  it.each(PUBLISH_STEPS)("a publish at %s is unavailable, and may be repeated", async (step) => {
    const clients = await start(2);
    failStep(step, fault);
    await expectUnavailable(clients[0], "publish");
    await expectEachOnce(clients);
  });

  it.each(SUBSCRIBE_STEPS)("a subscribe at %s is unavailable, and may be repeated", async (step) => {
    await start(0);
    const alice = await connectRawClient(host.wsUrl);
    failStep(step, fault);
    await expectUnavailable(alice, "subscribe");
    delete faults.store;
    expect(await acknowledge(alice, "subscribe")).toBe(0);
    await publish([alice], "first");
    await expectEachOnce([alice]);
  });
});

describe("SQS refuses entries of a batch", () => {
  /** Refuses some entries of the first `batches`; returns the entries of each batch. */
  function refuseEntries(isRefused: (entry: number) => boolean, batches: number): number[][] {
    const sent: number[][] = [];
    faults.queue = (operation, { Entries = [] }) => {
      if (operation !== "SendMessageBatch") return undefined;
      const entries = (Entries as { readonly Id: string }[]).map(({ Id }) => Number(Id));
      sent.push(entries);
      return sent.length <= batches ? { refuseEntries: entries.filter(isRefused).map(String) } : undefined;
    };
    return sent;
  }

  it("once: they are sent again, and the message arrives", async () => {
    const clients = await start(2, TO_THE_QUEUE);
    const sent = refuseEntries(() => true, 1);
    await publish(clients, "taken");
    expect(sent).toEqual([[0], [0]]);
    await expectEachOnce(clients);
  });

  it.each(["16", "0"])("always: the publish is unavailable: FANOUT_INLINE_MAX=%s", async (FANOUT_INLINE_MAX) => {
    const clients = await start(2, { FANOUT_INLINE_MAX });
    const sent = refuseEntries(() => true, Number.POSITIVE_INFINITY);
    // What a publisher can't post is for the queue.
    faults.request = () => "throttled";
    await expectUnavailable(clients[0], "publish");
    expect(sent).toEqual([[0], [0], [0]]);
    await expectEachOnce(clients);
  });

  // A topic of one shard gives a batch one job; here are as many as many shards would give.
  it("of many jobs: only those are sent again, and all arrive", async () => {
    const clients = await start(2);
    const only = await Promise.all(clients.map(targetOf));
    const { sqsUrl: endpoint, region, ref } = host.wire as Wire;
    const client = new SQSClient({ endpoint, region, credentials: { accessKeyId: "any", secretAccessKey: "any" } });
    const queueUrl = ref("message-topic", "FanoutQueue");
    const deadLetterQueueUrl = ref("message-topic", "DeadLetterQueue");
    const sent = refuseEntries((entry) => entry % 3 === 0, 3);
    const seqs = Array.from({ length: 25 }, (_, index) => 101 + index);
    const jobs = seqs.map((seq) => aJob({ only, messages: [{ seq, payload: seq, time: Date.now() }] }));
    await createSqsQueue({ client, queueUrl, deadLetterQueueUrl, clock: systemClock }).send(jobs);
    client.destroy();
    expect(ascending(sent.slice(3).flat())).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24]);
    acknowledged.push(...seqs);
    await expectEachOnce(clients);
  });
});

describe("a job comes twice", () => {
  it.each<[string, string, WireFault, number]>([
    ["its deletion fails", "DeleteMessageBatch", "fail", 2],
    ["the answer to its sending is lost", "SendMessageBatch", "dropAnswer", 2],
    ["or once, where only the answer to its deletion is lost", "DeleteMessageBatch", "dropAnswer", 1],
  ])("%s: the copies are the same", async (_, operation, fault, copies) => {
    const clients = await start(2, TO_THE_QUEUE);
    const events = new EventEmitter();
    const spoiled = once(events, "spoiled");
    // Somebody listens the first time only.
    faults.queue = (asked) => (asked === operation && events.emit("spoiled") ? fault : undefined);
    const seq = await publish(clients, "copied");
    await spoiled;
    for (const client of clients) {
      const frames = await client.count(copies, ({ type }) => type === "messages");
      for (const frame of frames) expect(frame).toEqual(frames[0]);
      expect(seqsOf(client)).toEqual(Array(copies).fill(seq));
    }
    await expectNothingLost(clients);
  });
});

describe("a worker can't read its second page", () => {
  const PAGE = 10;

  /** Publishes to three pages; fails the second for the first `times`. */
  async function publishToPages(times: number, fail: () => WireFault): Promise<RawClient[]> {
    const clients = await start(3 * PAGE, { ...TO_THE_QUEUE, FANOUT_PAGE_SIZE: String(PAGE) });
    let left = times;
    faults.store = async (operation, input) => {
      if (stepOf(operation, input) !== "Query subscription" || input.ExclusiveStartKey === undefined) return undefined;
      // The publisher's own Lambda has its time.
      await publishing;
      return left-- > 0 ? fail() : undefined;
    };
    const publishing = publish(clients, "first");
    await arrived(clients, [await publishing]);
    return clients;
  }

  async function expectFirstPageTwice(clients: readonly RawClient[]): Promise<void> {
    await expectNothingLost(clients);
    const copies = clients.map((client) => seqsOf(client).filter((seq) => seq === 1).length);
    expect(copies.filter((count) => count > 1).length).toBeGreaterThanOrEqual(PAGE);
  }

  it("because DynamoDB throttles: the job goes on from there", async () => {
    const clients = await publishToPages(SDK_ATTEMPTS, () => "throttle");
    await expectEachOnce(clients);
  });

  it("because DynamoDB throttles and SQS takes no new job: the job comes again", async () => {
    const clients = await publishToPages(SDK_ATTEMPTS, () => {
      faults.queue = (operation) => (operation === "SendMessageBatch" ? "throttle" : undefined);
      return "throttle";
    });
    await expectFirstPageTwice(clients);
  });

  it("because its Lambda is stopped: the job comes again", async () => {
    const clients = await publishToPages(1, () => {
      lateMs -= 30_000;
      return "hang";
    });
    expect(lines).toEqual(["message-topic/deliver: Task timed out after 30.00 seconds"]);
    await expectFirstPageTwice(clients);
  });
});

describe("a post hangs", () => {
  it.each(["16", "0"])("holds up nobody else, and arrives later: FANOUT_INLINE_MAX=%s", async (FANOUT_INLINE_MAX) => {
    const clients = await start(3, { FANOUT_INLINE_MAX, POST_TIMEOUT_MS: "1500" });
    const [target] = await Promise.all(clients.slice(2).map(targetOf));
    const events = new EventEmitter();
    const secondTry = once(events, "try 2");
    let tries = 0;
    faults.request = (_service, id) => {
      if (id !== target?.id) return undefined;
      events.emit(`try ${++tries}`);
      return "hang";
    };
    const publishing = publish(clients, "first");
    await arrived(clients.slice(0, 2), [1]);
    // The next comes when this one has timed out.
    expect(tries).toBeLessThan(2);
    await publishing;
    await secondTry;
    await expectEachOnce(clients);
  });
});

describe("API Gateway throttles everyone for a while", () => {
  it.each(["16", "0"])("all messages arrive: FANOUT_INLINE_MAX=%s", async (FANOUT_INLINE_MAX) => {
    const clients = await start(10, { FANOUT_INLINE_MAX });
    const end = Date.now() + THROTTLED_MS;
    let throttled = 0;
    faults.request = () => {
      if (Date.now() >= end) return undefined;
      throttled += 1;
      return "throttled";
    };
    for (const n of [1, 2, 3]) expect(await publish(clients, n)).toBe(n);
    await arrived(clients, acknowledged);
    expect(throttled).toBeGreaterThan(clients.length);
    await expectEachOnce(clients);
  });
});
