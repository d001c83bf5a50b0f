import type { MemoryQueue, QueueRecord } from "@topicast/core/memory";
import type { Faults } from "./faults.ts";
import type { Lambda } from "./lambda.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Watch } from "./watch.ts";

export interface EventSourceOptions {
  readonly queue: MemoryQueue;
  readonly lambda: Lambda;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly watch: Watch;
}

export interface EventSource {
  /** Jobs that are done with: delivered, or dead letters. */
  readonly done: number;
}

/** Receives after which a job is a dead letter. */
export const MAX_RECEIVES = 5;

/** Brings the queue's jobs to the workers: in small batches side by side, so never in order; where faults are armed late, and twice. */
export function startEventSource({ queue, lambda, time, random, faults, watch }: EventSourceOptions): EventSource {
  let done = 0;
  queue.onVisible(() => {
    const delayMs = faults.hits("jobs late") ? random.between(500, 12_000) : random.between(1, 60);
    time.after(delayMs, take);
  });

  function take(): void {
    const records = queue.receive(random.between(1, 3));
    if (records.length === 0) return;
    void work(records);
    // What is left was made visible by others' calls too; one more look makes sure that nothing stays.
    time.after(random.between(1, 60), take);
    if (!faults.hits("jobs twice")) return;
    for (const { body } of records) watch.lineages.taintJob(body);
    time.after(random.between(0, 5_000), () => void lambda.invoke("deliver", eventOf(records, 1)));
  }

  async function work(records: readonly QueueRecord[]): Promise<void> {
    for (const { receiveCount, body } of records) if (receiveCount > 1) watch.lineages.taintJob(body);
    const answer = (await lambda.invoke("deliver", eventOf(records, 0))) as Response | undefined;
    const failed = answer?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    for (const { messageId, receiptHandle, receiveCount } of records) {
      const isFailed = failed === undefined || failed.includes(messageId);
      if (!isFailed || receiveCount === MAX_RECEIVES) done += 1;
      if (isFailed) queue.release(receiptHandle);
      else queue.delete(receiptHandle);
    }
  }

  return {
    get done() {
      return done;
    },
  };
}

interface Response {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

function eventOf(records: readonly QueueRecord[], receivedBefore: number) {
  return {
    Records: records.map(({ messageId, body, sentAt, receiveCount }) => ({
      messageId,
      body,
      attributes: {
        SentTimestamp: String(sentAt),
        ApproximateReceiveCount: String(receiveCount + receivedBefore),
      },
    })),
  };
}
