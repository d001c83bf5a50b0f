import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { FanoutQueue, Job, SendOptions } from "../../ports/fanout-queue.ts";

/** A received job, in the words of SQS. */
export interface QueueRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  /** The job as JSON. */
  readonly body: string;
  /** Unix ms. */
  readonly sentAt: number;
  /** Unix ms. */
  readonly firstReceivedAt: number;
  /** 1 the first time. */
  readonly receiveCount: number;
}

export interface DeadLetter {
  readonly body: string;
  readonly reason: string;
}

/** The queue and the side of it that an event source mapping sees. */
export interface MemoryQueue extends FanoutQueue {
  /** Takes up to `max` visible jobs; each is hidden until it is deleted or released. */
  receive(max: number): QueueRecord[];
  /** Done with: it won't come again. */
  delete(receiptHandle: string): void;
  /** Failed: it comes again after the visibility timeout, or is a dead letter where it has come too often. */
  release(receiptHandle: string): void;
  /** Calls `listener` whenever jobs become visible; returns how to stop that. */
  onVisible(listener: () => void): () => void;
  readonly deadLetters: readonly DeadLetter[];
}

export interface MemoryQueueOptions {
  readonly clock: Clock;
  /** Receives after which a failing job is a dead letter. At least 5 on SQS behind a Lambda. */
  readonly maxReceiveCount?: number;
  readonly visibilityTimeoutMs?: number;
  /** Jobs that wait at once; more are refused. */
  readonly maxJobs?: number;
  /** The newest dead letters that are kept. */
  readonly maxDeadLetters?: number;
}

interface Entry {
  readonly messageId: string;
  readonly body: string;
  readonly sentAt: number;
  firstReceivedAt: number;
  receiveCount: number;
}

export function createMemoryQueue(options: MemoryQueueOptions): MemoryQueue {
  const { clock, maxReceiveCount = 5, visibilityTimeoutMs = 1_000, maxDeadLetters = 1_000 } = options;
  const { maxJobs = 100_000 } = options;
  let visible: Entry[] = [];
  /** Those of `visible` before it are taken. */
  let taken = 0;
  let waiting = 0;
  const hidden = new Map<string, Entry>();
  const deadLetters: DeadLetter[] = [];
  const listeners = new Set<() => void>();
  let lastId = 0;

  function show(entries: readonly Entry[]): void {
    for (const entry of entries) visible.push(entry);
    for (const listener of listeners) listener();
  }

  function bury(body: string, reason: string): void {
    deadLetters.push({ body, reason });
    if (deadLetters.length > maxDeadLetters) deadLetters.shift();
  }

  return {
    deadLetters,

    async send(jobs: readonly Job[], { delaySeconds = 0 }: SendOptions = {}) {
      if (waiting + jobs.length > maxJobs) throw new UnavailableError("queue", `${waiting} jobs wait already.`);
      waiting += jobs.length;
      const sentAt = clock.now();
      const entries = jobs.map((job): Entry => {
        lastId += 1;
        return { messageId: String(lastId), body: JSON.stringify(job), sentAt, firstReceivedAt: 0, receiveCount: 0 };
      });
      if (delaySeconds === 0) show(entries);
      else void clock.sleep(delaySeconds * 1_000).then(() => show(entries));
    },

    async deadLetter(job, reason) {
      bury(JSON.stringify(job), reason);
    },

    async check() {},

    receive(max) {
      const entries = visible.slice(taken, taken + max);
      taken += entries.length;
      // In strides, so that a long queue isn't copied for each batch.
      if (taken * 2 > visible.length) {
        visible = visible.slice(taken);
        taken = 0;
      }
      return entries.map((entry) => {
        entry.receiveCount += 1;
        if (entry.receiveCount === 1) entry.firstReceivedAt = clock.now();
        const receiptHandle = `${entry.messageId}.${entry.receiveCount}`;
        hidden.set(receiptHandle, entry);
        return { ...entry, receiptHandle };
      });
    },

    delete(receiptHandle) {
      if (hidden.delete(receiptHandle)) waiting -= 1;
    },

    release(receiptHandle) {
      const entry = hidden.get(receiptHandle);
      if (entry === undefined) return;
      hidden.delete(receiptHandle);
      if (entry.receiveCount >= maxReceiveCount) {
        waiting -= 1;
        bury(entry.body, `received ${entry.receiveCount} times`);
      } else void clock.sleep(visibilityTimeoutMs).then(() => show([entry]));
    },

    onVisible(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
