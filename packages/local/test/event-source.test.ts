import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createMemoryQueue, type MemoryQueue } from "@topicast/core/memory";
import { aJob, settle, TEST_START, type TestClock, testClock } from "@topicast/testing";
import type { SQSEvent } from "aws-lambda";
import { startEventSource } from "../src/event-source.ts";
import type { Invocation, LambdaFunction } from "../src/lambda-function.ts";
import type { QueueSource } from "../src/service-definition.ts";
import { startFixtures } from "./fixture-host.ts";

const SOURCE: QueueSource = { batchSize: 10, maxConcurrency: 10, reportsItemFailures: true };

interface Call {
  readonly event: SQSEvent;
  finish(outcome?: Invocation): Promise<void>;
}

let clock: TestClock;
let queue: MemoryQueue;
let calls: Call[];
let stop = () => {};

beforeEach(() => {
  clock = testClock();
  queue = createMemoryQueue({ clock, maxReceiveCount: 2 });
  calls = [];
});

afterEach(() => stop());

/** Starts a source whose function ends when the test says so. */
function start(source: Partial<QueueSource> = {}): void {
  const invoke = (event: unknown) =>
    new Promise<Invocation>((resolve) => {
      calls.push({
        event: event as SQSEvent,
        async finish(outcome = { status: "returned", value: undefined }) {
          resolve(outcome);
          await settle();
        },
      });
    });
  const target = { invoke } as unknown as LambdaFunction;
  stop = startEventSource({ queue, target, source: { ...SOURCE, ...source }, queueName: "jobs", region: "us-east-1" });
}

async function sendJobs(count: number): Promise<void> {
  await queue.send(Array.from({ length: count }, () => aJob()));
  await settle();
}

function failures(...messageIds: unknown[]): Invocation {
  const batchItemFailures = messageIds.map((itemIdentifier) => ({ itemIdentifier }));
  return { status: "returned", value: { batchItemFailures } };
}

function idsOf(call: Call | undefined): string[] {
  return call?.event.Records.map(({ messageId }) => messageId) ?? [];
}

describe("a batch", () => {
  it("has records as SQS makes them, to the field", async () => {
    start();
    const job = aJob();
    await queue.send([job]);
    await settle();
    expect(calls[0]?.event).toEqual({
      Records: [
        {
          messageId: "1",
          receiptHandle: expect.any(String),
          body: JSON.stringify(job),
          attributes: {
            ApproximateReceiveCount: "1",
            SentTimestamp: String(TEST_START),
            SenderId: "000000000000",
            ApproximateFirstReceiveTimestamp: String(TEST_START),
          },
          messageAttributes: {},
          md5OfBody: expect.stringMatching(/^[0-9a-f]{32}$/),
          eventSource: "aws:sqs",
          eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:jobs",
          awsRegion: "us-east-1",
        },
      ],
    });
  });

  it("is no larger than the batch size, and no more of them run than allowed", async () => {
    start({ batchSize: 2, maxConcurrency: 2 });
    await sendJobs(5);
    expect(calls.map(idsOf)).toEqual([
      ["1", "2"],
      ["3", "4"],
    ]);
    await calls[1]?.finish();
    expect(idsOf(calls[2])).toEqual(["5"]);
  });

  it("takes what was there before the source started", async () => {
    await sendJobs(1);
    start();
    expect(calls.map(idsOf)).toEqual([["1"]]);
  });

  it("is not taken once the source is stopped", async () => {
    start();
    stop();
    await sendJobs(1);
    expect(calls).toEqual([]);
  });
});

describe("what comes again", () => {
  /** The ids of the second batch after the first ended so. */
  async function again(outcome: Invocation, source: Partial<QueueSource> = {}): Promise<string[]> {
    start(source);
    await sendJobs(2);
    await calls[0]?.finish(outcome);
    await clock.advance(1_000);
    return idsOf({ event: { Records: calls.slice(1).flatMap(({ event }) => event.Records) } } as Call);
  }

  it.each<[string, Invocation, string[]]>([
    ["nothing where the function returns nothing", { status: "returned", value: undefined }, []],
    ["nothing where it names nothing", failures(), []],
    ["nothing where its list is null", { status: "returned", value: { batchItemFailures: null } }, []],
    ["what it names", failures("2"), ["2"]],
    ["all where it fails", { status: "failed" }, ["1", "2"]],
    ["all where it names a stranger", failures("2", "3"), ["1", "2"]],
    ["all where it names an empty id", failures(""), ["1", "2"]],
    ["all where its answer is malformed", failures(7), ["1", "2"]],
  ])("is %s", async (_what, outcome, ids) => {
    expect(await again(outcome)).toEqual(ids);
  });

  it("is nothing where the source doesn't report item failures", async () => {
    expect(await again(failures("1", "2"), { reportsItemFailures: false })).toEqual([]);
  });

  it("is a dead letter after too many times", async () => {
    expect(await again({ status: "failed" })).toEqual(["1", "2"]);
    for (const call of calls.slice(1)) await call.finish({ status: "failed" });
    expect(queue.deadLetters).toHaveLength(2);
  });
});

describe("a service's queue", () => {
  it("feeds the function that its serverless.yml names", async () => {
    const hostClock = testClock();
    const host = await startFixtures(["worker"], { clock: hostClock });
    const { queue: hosted } = host.ports("worker");
    await hosted.send([aJob(), aJob(), aJob()]);
    for (let turn = 0; hosted.deadLetters.length < 3 && turn < 100; turn += 1) await hostClock.advance(1_000);
    expect(hosted.deadLetters.map(({ reason }) => reason).sort()).toEqual(["1", "2", "3"]);
    expect(host.lines).toEqual([]);
    await host.close();
  });
});
