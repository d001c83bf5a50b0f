import { ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { SQSEvent } from "aws-lambda";
import type { Invocation, LambdaFunction } from "../src/lambda-function.ts";
import type { QueueSource } from "../src/service-definition.ts";
import { startSqsEventSource } from "../src/wire/event-source.ts";
import { REGION, startWire, type WireInfrastructure } from "./wire-infrastructure.ts";

const SOURCE: QueueSource = { batchSize: 10, maxConcurrency: 10, reportsItemFailures: true };
const DONE: Invocation = { status: "returned", value: undefined };

interface Call {
  readonly event: SQSEvent;
  /** Ends the invocation. */
  finish(outcome?: Invocation): void;
}

let wire: WireInfrastructure;
let url: string;
let deadUrl: string;
let stop = () => {};
let calls: Call[];
let takers: (() => void)[];
let queues = 0;

beforeAll(async () => {
  wire = await startWire();
});

afterAll(() => wire.close());

beforeEach(async () => {
  queues += 1;
  deadUrl = await wire.makeQueue(`dead-${queues}`);
  const deadLetterTargetArn = `arn:aws:sqs:${REGION}:000000000000:dead-${queues}`;
  url = await wire.makeQueue(`jobs-${queues}`, {
    VisibilityTimeout: "1",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }),
  });
  calls = [];
  takers = [];
});

afterEach(() => {
  stop();
  delete wire.faults.queue;
});

/** Starts a source whose function ends when the test says so. */
function start(source: Partial<QueueSource> = {}): void {
  const invoke = (event: unknown) =>
    new Promise<Invocation>((resolve) => {
      calls.push({ event: event as SQSEvent, finish: (outcome = DONE) => resolve(outcome) });
      for (const taker of takers.splice(0)) taker();
    });
  stop = startSqsEventSource({
    sqs: wire.sqs,
    queue: { url, arn: `arn:aws:sqs:${REGION}:000000000000:jobs-${queues}` },
    region: REGION,
    target: { invoke } as unknown as LambdaFunction,
    source: { ...SOURCE, ...source },
  });
}

/** Waits for the invocation of this number, the first being 0. */
async function call(number: number): Promise<Call> {
  for (;;) {
    const found = calls[number];
    if (found !== undefined) return found;
    await new Promise<void>((resolve) => void takers.push(resolve));
  }
}

async function send(...bodies: string[]): Promise<void> {
  const Entries = bodies.map((MessageBody, at) => ({ Id: String(at), MessageBody }));
  await wire.sqsClient.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
}

function bodiesOf({ event }: Call): string[] {
  return event.Records.map(({ body }) => body);
}

function failures({ event }: Call, ...bodies: string[]): Invocation {
  const failed = event.Records.filter(({ body }) => bodies.includes(body));
  return {
    status: "returned",
    value: { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) },
  };
}

async function deadLetter(): Promise<string | undefined> {
  const { Messages } = await wire.sqsClient.send(new ReceiveMessageCommand({ QueueUrl: deadUrl, WaitTimeSeconds: 20 }));
  return Messages?.[0]?.Body;
}

describe("a batch", () => {
  it("has records as SQS makes them, to the field", async () => {
    start();
    const MessageAttributes = { reason: { DataType: "String", StringValue: "late" } };
    await wire.sqsClient.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hi", MessageAttributes }));
    const { event } = await call(0);
    const ms = expect.stringMatching(/^\d{13}$/);
    expect(event).toEqual({
      Records: [
        {
          messageId: expect.stringMatching(/^[\da-f-]{36}$/),
          receiptHandle: expect.any(String),
          body: "hi",
          attributes: {
            ApproximateReceiveCount: "1",
            SentTimestamp: ms,
            SenderId: "000000000000",
            ApproximateFirstReceiveTimestamp: ms,
          },
          messageAttributes: {
            reason: { stringValue: "late", stringListValues: [], binaryListValues: [], dataType: "String" },
          },
          md5OfMessageAttributes: expect.stringMatching(/^[\da-f]{32}$/),
          md5OfBody: "49f68a5c8493ec2c0bf489821c21fc3b",
          eventSource: "aws:sqs",
          eventSourceARN: `arn:aws:sqs:${REGION}:000000000000:jobs-${queues}`,
          awsRegion: REGION,
        },
      ],
    });
  });

  it("is no larger than the batch size, and no more of them run than allowed", async () => {
    await send("1", "2", "3", "4", "5");
    start({ batchSize: 2, maxConcurrency: 2 });
    const [first, second] = [await call(0), await call(1)];
    expect([bodiesOf(first), bodiesOf(second)]).toEqual([
      ["1", "2"],
      ["3", "4"],
    ]);
    // The deletion of the second is what follows its end, and only then may a third begin.
    const begun = calls.length;
    second.finish();
    expect(bodiesOf(await call(2))).toEqual(["5"]);
    expect(begun).toBe(2);
  });

  it("is not taken once the source is stopped", async () => {
    start();
    await send("1");
    (await call(0)).finish();
    stop();
    await send("2");
    const { Messages } = await wire.sqsClient.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }));
    expect(Messages?.[0]?.Body).toBe("2");
    expect(calls).toHaveLength(1);
  });
});

describe("what failed", () => {
  it("comes again when its visibility timeout has passed, and what succeeded doesn't", async () => {
    start();
    await send("1", "2", "3");
    const first = await call(0);
    const startedAt = Date.now();
    first.finish(failures(first, "2"));
    const second = await call(1);
    expect(bodiesOf(second)).toEqual(["2"]);
    expect(second.event.Records[0]?.attributes.ApproximateReceiveCount).toBe("2");
    // A little less than the second: what is measured here began a little later.
    expect(Date.now() - startedAt).toBeGreaterThan(800);
    second.finish();
  });

  it("is the whole batch where the function throws", async () => {
    start();
    await send("1", "2");
    (await call(0)).finish({ status: "failed" });
    expect(bodiesOf(await call(1)).sort()).toEqual(["1", "2"]);
  });

  it("is a dead letter after the last time that the queue allows", async () => {
    start();
    await send("1");
    for (const number of [0, 1]) (await call(number)).finish({ status: "failed" });
    expect(await deadLetter()).toBe("1");
    expect(calls).toHaveLength(2);
  });
});

describe("a queue that fails", () => {
  it("brings a message twice where its deletion is lost", async () => {
    wire.faults.queue = (operation) => (operation === "DeleteMessageBatch" ? "throttle" : undefined);
    start();
    await send("1");
    (await call(0)).finish();
    expect(bodiesOf(await call(1))).toEqual(["1"]);
  });

  it("is asked again", async () => {
    const faults = ["throttle", "fail", "dropAnswer"] as const;
    let asked = 0;
    wire.faults.queue = (operation) => (operation === "ReceiveMessage" ? faults[asked++] : undefined);
    start();
    await send("1");
    expect(bodiesOf(await call(0))).toEqual(["1"]);
    expect(asked).toBeGreaterThan(faults.length);
  });
});
