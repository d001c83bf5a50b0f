import {
  type BatchResultErrorEntry,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { FanoutQueue, Job } from "../../ports/fanout-queue.ts";

/** Of a SendMessageBatch; the bytes are also those of a single message. */
const MAX_BATCH_ENTRIES = 10;
const MAX_BATCH_BYTES = 1024 * 1024;

/** How often entries that SQS refused are sent, the first time included, and the wait before the second. */
const MAX_SENDS = 3;
const RESEND_AFTER_MS = 50;

/**
 * What SQS refuses in a message, and surrogates, which emulators refuse: escaped, so that any payload passes. JSON itself escapes control
 * characters.
 */
const UNSAFE = /[\ud800-\udfff\ufffe\uffff]/g;

/** Bound of one call with all its retries. */
const CALL_TIMEOUT_MS = 6_000;

export interface SqsQueueOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly clock: Clock;
}

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
}

export function createSqsQueue({ client, queueUrl, deadLetterQueueUrl, clock }: SqsQueueOptions): FanoutQueue {
  /** Returns the entries that SQS refused for the moment. */
  async function sendBatch(entries: readonly Entry[]): Promise<Entry[]> {
    const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [...entries] });
    const { Failed = [] } = await ask((options) => client.send(command, options));
    const fault = Failed.find(({ SenderFault }) => SenderFault);
    if (fault !== undefined) throw new Error(`SQS refused a job: ${describe(fault)}`);
    const refused = new Set(Failed.map(({ Id }) => Id));
    return entries.filter(({ Id }) => refused.has(Id));
  }

  async function sendAll(batch: readonly Entry[]): Promise<void> {
    let left = batch;
    for (let send = 1; ; send++) {
      left = await sendBatch(left);
      if (left.length === 0) return;
      if (send === MAX_SENDS)
        throw new UnavailableError("queue", `SQS refused ${left.length} of ${batch.length} jobs.`);
      await clock.sleep(RESEND_AFTER_MS * send);
    }
  }

  return {
    async send(jobs, { delaySeconds } = {}) {
      const entries = jobs.map((job, index): Entry => {
        const delay = delaySeconds === undefined ? {} : { DelaySeconds: delaySeconds };
        return { Id: String(index), MessageBody: encodeJob(job), ...delay };
      });
      await Promise.all(batchesOf(entries).map(sendAll));
    },

    async deadLetter(job, reason) {
      const command = new SendMessageCommand({
        QueueUrl: deadLetterQueueUrl,
        MessageBody: encodeJob(job),
        MessageAttributes: { reason: { DataType: "String", StringValue: reason } },
      });
      await ask((options) => client.send(command, options));
    },

    async check() {
      const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["QueueArn"] });
      await ask((options) => client.send(command, options));
    },
  };
}

/** Batches as SendMessageBatch takes them, by number and by size. */
function batchesOf(entries: readonly Entry[]): Entry[][] {
  const batches: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const entryBytes = Buffer.byteLength(entry.MessageBody);
    const last = batches.at(-1);
    if (last === undefined || last.length === MAX_BATCH_ENTRIES || bytes + entryBytes > MAX_BATCH_BYTES) {
      batches.push([entry]);
      bytes = entryBytes;
    } else {
      last.push(entry);
      bytes += entryBytes;
    }
  }
  return batches;
}

/** Payloads, pages and topics are bounded so that a job stays far below this; a larger one is a bug. */
function encodeJob(job: Job): string {
  const body = JSON.stringify(job).replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BATCH_BYTES) throw new Error(`A job of ${bytes} bytes is too large for SQS.`);
  return body;
}

async function ask<T>(request: (options: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
  try {
    // The client's own timeouts end with the first byte of an answer; this one covers the rest of it too.
    return await request({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  } catch (cause) {
    throw new UnavailableError("queue", "The queue did not take the request.", { cause });
  }
}

function describe({ Code, Message }: BatchResultErrorEntry): string {
  return `${Code} ${Message ?? ""}`;
}
