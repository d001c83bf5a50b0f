import { createHash } from "node:crypto";
import type { MemoryQueue, QueueRecord } from "@topicast/core/memory";
import type { SQSRecord } from "aws-lambda";
import { ACCOUNT_ID, arnOf } from "./account.ts";
import type { LambdaFunction } from "./lambda-function.ts";
import { invokeWithBatch } from "./queue-batch.ts";
import type { QueueSource } from "./service-definition.ts";

export interface EventSourceOptions {
  readonly queue: MemoryQueue;
  readonly target: LambdaFunction;
  readonly source: QueueSource;
  /** The queue's name in events. */
  readonly queueName: string;
  readonly region: string;
}

/** An event source mapping: takes batches off a queue to a function until it is stopped. Returns how to stop it. */
export function startEventSource({ queue, target, source, queueName, region }: EventSourceOptions): () => void {
  let running = 0;
  let stopped = false;
  let isDue = false;

  async function run(records: readonly QueueRecord[]): Promise<void> {
    const failed = await invokeWithBatch(
      target,
      source,
      records.map((record) => createRecord(record, queueName, region)),
    );
    for (const { messageId, receiptHandle } of records) {
      if (failed.has(messageId)) queue.release(receiptHandle);
      else queue.delete(receiptHandle);
    }
    running -= 1;
    pollSoon();
  }

  /** Once for all jobs that become visible together: they make one batch, as on AWS, where a poller asks now and then. */
  function pollSoon(): void {
    if (isDue) return;
    isDue = true;
    process.nextTick(poll);
  }

  function poll(): void {
    isDue = false;
    while (!stopped && running < source.maxConcurrency) {
      const records = queue.receive(source.batchSize);
      if (records.length === 0) return;
      running += 1;
      void run(records);
    }
  }

  const unsubscribe = queue.onVisible(pollSoon);
  poll();
  return () => {
    stopped = true;
    unsubscribe();
  };
}

function createRecord(record: QueueRecord, queueName: string, region: string): SQSRecord {
  return {
    messageId: record.messageId,
    receiptHandle: record.receiptHandle,
    body: record.body,
    attributes: {
      ApproximateReceiveCount: String(record.receiveCount),
      SentTimestamp: String(record.sentAt),
      SenderId: ACCOUNT_ID,
      ApproximateFirstReceiveTimestamp: String(record.firstReceivedAt),
    },
    messageAttributes: {},
    // Few handlers look, and it takes as long as all else here.
    get md5OfBody() {
      return createHash("md5").update(record.body).digest("hex");
    },
    eventSource: "aws:sqs",
    eventSourceARN: arnOf("sqs", region, queueName),
    awsRegion: region,
  };
}
