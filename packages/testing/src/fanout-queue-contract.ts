import { describe, expect, it } from "@jest/globals";
import type { ConnectionId, FanoutQueue } from "@topicast/core";
import type { TestClock } from "./clock.ts";
import { aJob, anApp, aSubscriber, aTopic, type MessagesJob } from "./factories.ts";
import { type Closable, useHarness } from "./harness.ts";
import { HOSTILE_PAYLOADS } from "./hostile.ts";

export interface ReceivedJob {
  readonly job: MessagesJob;
  readonly handle: string;
  /** 1 the first time. */
  readonly receiveCount: number;
}

export interface DeadJob {
  readonly job: MessagesJob;
  /** Absent where the queue itself buried the job. */
  readonly reason?: string;
}

/** An empty queue and the side of it that workers and operators see. */
export interface FanoutQueueHarness extends Closable {
  readonly queue: FanoutQueue;
  /** A driver whose service keeps its own time may wait the time out in `advance`. */
  readonly clock: Pick<TestClock, "now" | "advance">;
  /** Receives after which a job that fails again is a dead letter. */
  readonly maxReceiveCount: number;
  /** How long a failed job stays hidden. */
  readonly visibilityTimeoutMs: number;
  /** Takes some of the visible jobs and hides them; none only where no job is visible. */
  receive(): Promise<readonly ReceivedJob[]>;
  /** The worker is done with it. */
  delete(handle: string): Promise<void>;
  /** The worker failed. */
  release(handle: string): Promise<void>;
  deadLetters(): Promise<readonly DeadJob[]>;
}

/** What every driver of {@link FanoutQueue} promises. Each call of `createHarness` begins with an empty queue. */
export function describeFanoutQueueContract(name: string, createHarness: () => Promise<FanoutQueueHarness>): void {
  describe(`${name} keeps the contract of FanoutQueue`, () => {
    const harness = useHarness(createHarness);
    describeSending(harness);
    describeBulk(harness);
    describeRedelivery(harness);
    describeDeadLetters(harness);

    it("answers a check", async () => {
      await expect(harness().queue.check()).resolves.toBeUndefined();
    });
  });
}

/** More jobs than any of these tests sends: a queue that brings more doesn't hide what it brought. */
const MAX_JOBS = 200;

/** Receives until no job is visible. Throws where that doesn't end. */
async function receiveAll(harness: FanoutQueueHarness): Promise<readonly ReceivedJob[]> {
  const all: ReceivedJob[] = [];
  for (let some = await harness.receive(); some.length > 0; some = await harness.receive()) {
    all.push(...some);
    if (all.length > MAX_JOBS) throw new Error(`The queue brought more than ${MAX_JOBS} jobs.`);
  }
  return all;
}

async function receiveOne(harness: FanoutQueueHarness): Promise<ReceivedJob> {
  const received = await receiveAll(harness);
  expect(received).toHaveLength(1);
  return received[0] as ReceivedJob;
}

function shardsOf(received: readonly ReceivedJob[]): readonly number[] {
  return received.map(({ job }) => job.shard.index).sort((a, b) => a - b);
}

function jobsOfShards(count: number): readonly MessagesJob[] {
  return Array.from({ length: count }, (_, index) => aJob({ shard: { index, of: 64 } }));
}

function describeSending(harness: () => FanoutQueueHarness): void {
  it("brings a job as it was sent", async () => {
    const job = aJob();
    await harness().queue.send([job]);
    expect(await receiveOne(harness())).toMatchObject({ job, receiveCount: 1 });
  });

  it("keeps every field and every payload", async () => {
    const messages = HOSTILE_PAYLOADS.map((payload, i) => ({ seq: i + 1, payload, time: 1_700_000_000_000 }));
    const job = aJob({
      app: anApp("jam"),
      topic: aTopic("日本語/部屋"),
      messages,
      sender: "L0SM9cOFvHcCIhw=" as ConnectionId,
      echo: false,
      shard: { index: 3, of: 8 },
      cursor: "é/__proto__",
      walked: 500,
      only: [aSubscriber(), aSubscriber()],
      attempt: 4,
    });
    await harness().queue.send([job]);
    expect((await receiveOne(harness())).job).toEqual(job);
  });

  it("leaves absent what an ephemeral message of a backend doesn't have", async () => {
    const { epoch: _, ...job } = aJob({ messages: [{ payload: 1, time: 1_700_000_000_000 }] });
    await harness().queue.send([job]);
    expect((await receiveOne(harness())).job).toStrictEqual(job);
  });

  it("brings nothing where nothing was sent", async () => {
    await harness().queue.send([]);
    expect(await receiveAll(harness())).toEqual([]);
  });

  it("hides a delayed job until its delay has passed, and no other", async () => {
    const { queue, clock } = harness();
    await queue.send([aJob({ shard: { index: 1, of: 4 } })], { delaySeconds: 2 });
    await queue.send([aJob({ shard: { index: 2, of: 4 } })], { delaySeconds: 0 });
    const received = await receiveAll(harness());
    expect(shardsOf(received)).toEqual([2]);
    for (const { handle } of received) await harness().delete(handle);
    await clock.advance(1_000);
    expect(await receiveAll(harness())).toEqual([]);
    await clock.advance(1_001);
    expect(shardsOf(await receiveAll(harness()))).toEqual([1]);
  });
}

function describeBulk(harness: () => FanoutQueueHarness): void {
  it("brings every job of one large send", async () => {
    await harness().queue.send(jobsOfShards(25));
    expect(shardsOf(await receiveAll(harness()))).toEqual(Array.from({ length: 25 }, (_, i) => i));
  });

  it("brings every job of sends that overlap", async () => {
    const jobs = jobsOfShards(40);
    await Promise.all(jobs.map((job) => harness().queue.send([job])));
    expect(shardsOf(await receiveAll(harness()))).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it("takes a send of more than 1 MiB", async () => {
    const payload = "x".repeat(120 * 1024);
    const jobs = jobsOfShards(12).map((job) => ({ ...job, messages: [{ seq: 1, payload, time: 1_700_000_000_000 }] }));
    await harness().queue.send(jobs);
    const received = await receiveAll(harness());
    expect(shardsOf(received)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(received.every(({ job }) => job.messages[0]?.payload === payload)).toBe(true);
  });
}

function describeRedelivery(harness: () => FanoutQueueHarness): void {
  it("hides a job from other workers while one has it", async () => {
    await harness().queue.send([aJob()]);
    await receiveOne(harness());
    expect(await receiveAll(harness())).toEqual([]);
  });

  it("brings a failed job again, whole, and counts", async () => {
    const job = aJob({ shard: { index: 7, of: 8 } });
    await harness().queue.send([job]);
    for (const receiveCount of [1, 2, 3]) {
      const received = await receiveOne(harness());
      expect(received).toMatchObject({ job, receiveCount });
      await harness().release(received.handle);
      await harness().clock.advance(harness().visibilityTimeoutMs);
    }
  });

  it("never brings a deleted job again", async () => {
    await harness().queue.send([aJob()]);
    await harness().delete((await receiveOne(harness())).handle);
    await harness().clock.advance(2 * harness().visibilityTimeoutMs);
    expect(await receiveAll(harness())).toEqual([]);
    expect(await harness().deadLetters()).toEqual([]);
  });

  it("brings again only those of a batch that failed", async () => {
    await harness().queue.send(jobsOfShards(6));
    for (const { job, handle } of await receiveAll(harness())) {
      if (job.shard.index % 2 === 0) await harness().delete(handle);
      else await harness().release(handle);
    }
    await harness().clock.advance(harness().visibilityTimeoutMs);
    expect(shardsOf(await receiveAll(harness()))).toEqual([1, 3, 5]);
  });
}

function describeDeadLetters(harness: () => FanoutQueueHarness): void {
  it("puts a dead letter aside whole, with its reason, and gives it to no worker", async () => {
    const job = aJob({ only: [aSubscriber()], attempt: 9 });
    await harness().queue.deadLetter(job, "out of attempts");
    expect(await harness().deadLetters()).toEqual([{ job, reason: "out of attempts" }]);
    expect(await receiveAll(harness())).toEqual([]);
  });

  it("makes a job a dead letter that failed too often, once and not earlier", async () => {
    const job = aJob({ shard: { index: 5, of: 8 } });
    await harness().queue.send([job]);
    for (let count = 1; count <= harness().maxReceiveCount; count++) {
      expect(await harness().deadLetters()).toEqual([]);
      await harness().release((await receiveOne(harness())).handle);
      await harness().clock.advance(harness().visibilityTimeoutMs);
    }
    // SQS buries a job only when a worker would have received it once more.
    expect(await receiveAll(harness())).toEqual([]);
    expect((await harness().deadLetters()).map((dead) => dead.job)).toEqual([job]);
    await harness().clock.advance(2 * harness().visibilityTimeoutMs);
    expect(await receiveAll(harness())).toEqual([]);
    expect(await harness().deadLetters()).toHaveLength(1);
  });
}
