import { setTimeout as pause } from "node:timers/promises";
import type { SQSMessageAttributes, SQSRecord } from "aws-lambda";
import type { LambdaFunction } from "../lambda-function.ts";
import { invokeWithBatch } from "../queue-batch.ts";
import type { QueueSource } from "../service-definition.ts";
import type { AwsJsonClient } from "./aws-json.ts";

/** A queue as its clients know it. */
export interface WireQueue {
  readonly url: string;
  readonly arn: string;
}

export interface SqsEventSourceOptions {
  readonly sqs: AwsJsonClient;
  readonly queue: WireQueue;
  readonly region: string;
  readonly target: LambdaFunction;
  readonly source: QueueSource;
}

/** SQS gives at most ten messages at once, however large a batch may be. */
const MAX_RECEIVED = 10;
/** The longest that SQS lets a request wait for messages. */
const WAIT_SECONDS = 20;
const RETRY_AFTER_MS = 100;

/**
 * An event source mapping over SQS, as Lambda's pollers: waits for messages, hands a function what there is, at most `maxConcurrency` batches
 * at once, and deletes what succeeded. What failed comes again when its visibility timeout has passed; after `maxReceiveCount`
 * times the queue itself moves it to the dead-letter queue. Returns how to stop it.
 */
export function startSqsEventSource(options: SqsEventSourceOptions): () => void {
  const stopping = new AbortController();
  void poll(options, stopping.signal);
  return () => stopping.abort();
}

async function poll(options: SqsEventSourceOptions, stopped: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>();
  while (!stopped.aborted) {
    while (running.size >= options.source.maxConcurrency) await Promise.race(running);
    const records = await receive(options, stopped);
    if (stopped.aborted || records.length === 0) continue;
    const batch = run(options, records).finally(() => running.delete(batch));
    running.add(batch);
  }
}

async function run({ sqs, queue, target, source }: SqsEventSourceOptions, records: SQSRecord[]): Promise<void> {
  const failed = await invokeWithBatch(target, source, records);
  const done = records.filter(({ messageId }) => !failed.has(messageId));
  if (done.length === 0) return;
  const Entries = done.map(({ receiptHandle }, at) => ({ Id: String(at), ReceiptHandle: receiptHandle }));
  // A message whose deletion fails comes again: delivery is at least once.
  await sqs.call("DeleteMessageBatch", { QueueUrl: queue.url, Entries }).catch(() => undefined);
}

interface ReceivedMessage {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly MD5OfBody: string;
  readonly MD5OfMessageAttributes?: string;
  readonly Attributes: SQSRecord["attributes"];
  readonly MessageAttributes?: Readonly<Record<string, MessageAttribute>>;
}

interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

async function receive(options: SqsEventSourceOptions, stopped: AbortSignal): Promise<SQSRecord[]> {
  const input = {
    QueueUrl: options.queue.url,
    MaxNumberOfMessages: Math.min(options.source.batchSize, MAX_RECEIVED),
    WaitTimeSeconds: WAIT_SECONDS,
    MessageSystemAttributeNames: ["All"],
    MessageAttributeNames: ["All"],
  };
  try {
    const { Messages = [] } = await options.sqs.call("ReceiveMessage", input, stopped);
    return (Messages as ReceivedMessage[]).map((message) => createRecord(message, options));
  } catch {
    // Stopped, or a fault of the queue, which a poller outlives. A stop ends the pause too.
    await pause(RETRY_AFTER_MS, undefined, { signal: stopped }).catch(() => undefined);
    return [];
  }
}

function createRecord(message: ReceivedMessage, { queue, region }: SqsEventSourceOptions): SQSRecord {
  const { MD5OfMessageAttributes: md5OfMessageAttributes, MessageAttributes = {} } = message;
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes,
    messageAttributes: toEventAttributes(MessageAttributes),
    ...(md5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes }),
    md5OfBody: message.MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: queue.arn,
    awsRegion: region,
  };
}

/** Events spell their names in lower case, and have two lists that SQS never fills. */
function toEventAttributes(attributes: Readonly<Record<string, MessageAttribute>>): SQSMessageAttributes {
  const entries = Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
    name,
    {
      ...(StringValue === undefined ? {} : { stringValue: StringValue }),
      ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
      stringListValues: [],
      binaryListValues: [],
      dataType: DataType,
    },
  ]);
  return Object.fromEntries(entries);
}
