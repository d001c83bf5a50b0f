import { createHash } from "node:crypto";
import type { MemoryQueue, QueueRecord } from "@topicast/core/memory";
import type { SQSEvent, SQSRecord } from "aws-lambda";
import * as v from "valibot";
import { ACCOUNT_ID, type Invocation, type LambdaFunction } from "./lambda-function.ts";
import type { QueueSource } from "./service-definition.ts";

export interface EventSourceOptions {
  readonly queue: MemoryQueue;
  readonly target: LambdaFunction;
  readonly source: QueueSource;
  /** The queue's name in events. */
  readonly queueName: string;
}

const batchResponse = v.object({
  batchItemFailures: v.optional(v.nullable(v.array(v.object({ itemIdentifier: v.string() }))), []),
});

/** An event source mapping: takes batches off a queue to a function until it is stopped. Returns how to stop it. */
export function startEventSource({ queue, target, source, queueName }: EventSourceOptions): () => void {
  let running = 0;
  let stopped = false;

  async function run(records: readonly QueueRecord[]): Promise<void> {
    const outcome = await target.invoke(createQueueEvent(records, queueName));
    const failed = findFailed(records, outcome, source.reportsItemFailures);
    for (const { messageId, receiptHandle } of records) {
      if (failed.has(messageId)) queue.release(receiptHandle);
      else queue.delete(receiptHandle);
    }
    running -= 1;
    poll();
  }

  function poll(): void {
    while (!stopped && running < source.maxConcurrency) {
      const records = queue.receive(source.batchSize);
      if (records.length === 0) return;
      running += 1;
      void run(records);
    }
  }

  const unsubscribe = queue.onVisible(poll);
  poll();
  return () => {
    stopped = true;
    unsubscribe();
  };
}

/**
 * Which messages of a batch come again. A failed invocation fails all; a partial batch response those it names. One that is malformed, or
 * names a message that isn't in the batch, fails all too, as on Lambda.
 */
function findFailed(
  records: readonly QueueRecord[],
  outcome: Invocation,
  reportsItemFailures: boolean,
): ReadonlySet<string> {
  const all = new Set(records.map(({ messageId }) => messageId));
  if (outcome.status === "failed") return all;
  if (!reportsItemFailures || outcome.value === undefined || outcome.value === null) return new Set();
  const response = v.safeParse(batchResponse, outcome.value);
  if (!response.success) return all;
  const named = (response.output.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return named.every((messageId) => all.has(messageId)) ? new Set(named) : all;
}

function createQueueEvent(records: readonly QueueRecord[], queueName: string): SQSEvent {
  return { Records: records.map((record) => createRecord(record, queueName)) };
}

function createRecord(record: QueueRecord, queueName: string): SQSRecord {
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
    md5OfBody: createHash("md5").update(record.body).digest("hex"),
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:us-east-1:${ACCOUNT_ID}:${queueName}`,
    awsRegion: "us-east-1",
  };
}
