import { EventEmitter, once } from "node:events";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { systemClock } from "@topicast/core";
import type { HostFaults, Wire, WireFault, WireInput } from "@topicast/local";
import { aJob, aTarget, connectRawClient, type Frame, fewAtATime, type RawClient } from "@topicast/testing";
import { createSqsQueue } from "../../../packages/core/src/drivers/fanout-queue/sqs.ts";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// What holds while DynamoDB, SQS or API Gateway fail: nothing acknowledged is lost, and nobody is evicted but by a 410.

// A message that is lost is one that a test waits for in vain.
jest.setTimeout(30_000);

const TOPIC = "room/1";
/** The SDK asks DynamoDB three times before it gives up. */
const SDK_ATTEMPTS = 3;
/** Longer than a worker takes to give up on a DynamoDB that throttles. */
const VISIBILITY_TIMEOUT_SECONDS = 3;
/** Well before the 29 seconds that API Gateway waits. */
const A_FEW_SECONDS_MS = 8_000;
const TO_THE_QUEUE = { FANOUT_INLINE_MAX: "0" };
const PATHS = [
  ["the publisher posts", { FANOUT_INLINE_MAX: "16" }],
  ["workers post", TO_THE_QUEUE],
] as const;
/** What each asks of DynamoDB, as `stepOf` names it. */
const PUBLISH_STEPS = ["UpdateItem topic", "PutItem log", "Query subscription"];
const SUBSCRIBE_STEPS = ["UpdateItem connection", "PutItem subscription", "GetItem topic"];
/** Partitions begin with the letter of what their rows are. */
const ROWS: Readonly<Record<string, string>> = { c: "connection", l: "log", s: "subscription", t: "topic" };

let host: TopicHost;
let faults: HostFaults;
/** Of the host. A connection looks a minute old to handlers, so that any 410 counts. */
let clock: ReturnType<typeof movableClock>;
/** What the host said of functions that failed. */
let lines: string[];
/** Numbers of the messages that were acknowledged. */
let acknowledged: number[];

beforeEach(() => {
  [faults, lines, acknowledged, clock] = [{}, [], [], movableClock(-60_000)];
});
afterEach(() => host.close());

async function start(count: number, environment: Record<string, string> = {}): Promise<RawClient[]> {
  const wire = { visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS };
  host = await startTopicHost({ wire, faults, environment, clock, log: (line) => lines.push(line) });
  return fewAtATime(Array(count).fill(host.wsUrl), async (url) => {
    const client = await connectRawClient(url);
    expect(await subscribe(client)).toMatchObject({ type: "ack" });
    return client;
  });
}

const subscribe = (client: RawClient) => client.request({ action: "subscribe", topic: TOPIC });

async function publish([client]: readonly RawClient[], payload: unknown): Promise<Frame> {
  const reply = await (client as RawClient).request({ action: "publish", topic: TOPIC, payload });
  if (reply.type === "ack") acknowledged.push(reply.seq);
  return reply;
}

async function expectUnavailable(request: Promise<Frame>): Promise<void> {
  const sentAt = performance.now();
  expect(await request).toMatchObject({ type: "error", topic: TOPIC, code: "unavailable" });
  expect(performance.now() - sentAt).toBeLessThan(A_FEW_SECONDS_MS);
}

const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const targetOf = async (client: RawClient) => aTarget({ id: (await client.request({ action: "ping" })).connectionId });

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
  expect(await publish(clients, "last")).toMatchObject({ type: "ack" });
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

/** Spoils the first `times` requests of a step; returns how many it did. */
function failStep(step: string, fault: WireFault, times = Number.POSITIVE_INFINITY): () => number {
  let asked = 0;
  faults.store = (...request) => (stepOf(...request) === step && ++asked <= times ? fault : undefined);
  return () => Math.min(asked, times);
}

describe("DynamoDB throttles for a moment", () => {
  it.each(PUBLISH_STEPS)("nobody notices: a publish at %s", async (step) => {
    const clients = await start(2);
    const throttled = failStep(step, "throttle", SDK_ATTEMPTS - 1);
    expect(await publish(clients, "taken")).toMatchObject({ type: "ack" });
    expect(throttled()).toBe(SDK_ATTEMPTS - 1);
    await expectEachOnce(clients);
  });
});

// What is dropped is the answer to a request that was applied.
describe.each(["throttle", "hang", "dropAnswer"] as const)("DynamoDB fails for longer: %s", (fault) => {
  it.each(PUBLISH_STEPS)("a publish at %s is unavailable, and may be repeated", async (step) => {
    const clients = await start(2);
    failStep(step, fault);
    await expectUnavailable(publish(clients, "refused"));
    await expectEachOnce(clients);
  });

  it.each(SUBSCRIBE_STEPS)("a subscribe at %s is unavailable, and may be repeated", async (step) => {
    await start(0);
    const alice = await connectRawClient(host.wsUrl);
    failStep(step, fault);
    await expectUnavailable(subscribe(alice));
    delete faults.store;
    expect(await subscribe(alice)).toMatchObject({ type: "ack", seq: 0 });
    expect(await publish([alice], "first")).toMatchObject({ type: "ack" });
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
    expect(await publish(clients, "taken")).toMatchObject({ type: "ack" });
    expect(sent).toEqual([[0], [0]]);
    await expectEachOnce(clients);
  });

  it.each(PATHS)("always: the publish is unavailable, and the next one arrives: %s", async (_, environment) => {
    const clients = await start(2, environment);
    const sent = refuseEntries(() => true, Number.POSITIVE_INFINITY);
    // What a publisher can't post is for the queue.
    faults.request = () => "throttled";
    await expectUnavailable(publish(clients, "refused"));
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
    const { seq } = await publish(clients, "copied");
    await spoiled;
    for (const client of clients) {
      const frames = await client.count(copies, ({ type }) => type === "messages");
      for (const frame of frames) expect(frame).toEqual(frames[0]);
      expect(seqsOf(client)).toEqual(Array(copies).fill(seq));
    }
    await expectNothingLost(clients);
  });
});

describe("a worker ends between two pages", () => {
  const PAGE = 10;

  it.each([
    ["because DynamoDB throttles", "throttle", []],
    ["because its Lambda is stopped", "hang", ["message-topic/deliver: Task timed out after 30.00 seconds"]],
  ] as const)("%s: the job comes again, for all pages", async (_, fault, said) => {
    const clients = await start(3 * PAGE, { ...TO_THE_QUEUE, FANOUT_PAGE_SIZE: String(PAGE) });
    let publishing: Promise<Frame> | undefined;
    let workers = 0;
    faults.store = async (operation, input) => {
      // A publisher asks for fewer; what the worker asks after its end must come to nothing too.
      if (stepOf(operation, input) !== "Query subscription" || Number(input.Limit) < PAGE) return undefined;
      if (input.ExclusiveStartKey === undefined) workers += 1;
      if (input.ExclusiveStartKey === undefined || workers > 1) return undefined;
      // The publisher's own Lambda has its time, and only one worker is out of it.
      await publishing;
      if (fault === "hang" && lines.length === 0) clock.moveOn(30_000);
      return fault;
    };
    publishing = publish(clients, "first");
    const { seq } = await publishing;
    await arrived(clients, [seq]);
    expect(lines).toEqual(said);
    await expectNothingLost(clients);
    const copies = clients.map((client) => seqsOf(client).filter((found) => found === seq).length);
    expect(copies.filter((count) => count > 1).length).toBeGreaterThanOrEqual(PAGE);
  });
});

describe("a post hangs", () => {
  const POST_TIMEOUT_MS = 1_500;

  it.each(PATHS)("holds up nobody else, and arrives later: %s", async (_, environment) => {
    const clients = await start(3, { ...environment, POST_TIMEOUT_MS: String(POST_TIMEOUT_MS) });
    const others = clients.slice(0, 2);
    const hanging = clients.slice(2);
    const [target] = await Promise.all(hanging.map(targetOf));
    const events = new EventEmitter();
    const secondTry = once(events, "try 2");
    let tries = 0;
    faults.request = (_service, id) => {
      if (id !== target?.id) return undefined;
      events.emit(`try ${++tries}`);
      return "hang";
    };
    const sentAt = performance.now();
    const publishing = publish(clients, "first");
    await arrived(others, [1]);
    expect(performance.now() - sentAt).toBeLessThan(POST_TIMEOUT_MS);
    expect(await publishing).toMatchObject({ type: "ack", seq: 1 });
    expect(performance.now() - sentAt).toBeLessThan(POST_TIMEOUT_MS + 1_000);
    await secondTry;
    // The second try is for nobody else.
    expect([...others, ...hanging].map(seqsOf)).toEqual([[1], [1], []]);
    await expectNothingLost(clients);
  });
});

describe("API Gateway throttles everyone for a while", () => {
  it.each(PATHS)("all messages arrive: %s", async (_, environment) => {
    const clients = await start(10, environment);
    let left = 2 * 3 * clients.length;
    faults.request = () => (left-- > 0 ? "throttled" : undefined);
    for (const n of [1, 2, 3]) expect(await publish(clients, n)).toMatchObject({ type: "ack", seq: n });
    await arrived(clients, acknowledged);
    expect(left).toBeLessThan(0);
    await expectEachOnce(clients);
  });
});

/** The system's time and `aheadMs`. */
function movableClock(aheadMs: number) {
  let ahead = aheadMs;
  const sleepers = new Map<() => void, number>();
  const now = () => Date.now() + ahead;
  return {
    now,
    sleep: (ms: number) =>
      new Promise<void>((wake) => {
        sleepers.set(wake, now() + ms);
        setTimeout(wake, ms).unref();
      }),
    moveOn(ms: number) {
      ahead += ms;
      for (const [wake, at] of sleepers) if (at <= now()) wake();
    },
  };
}
