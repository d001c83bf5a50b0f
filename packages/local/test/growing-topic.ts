import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { WriteRequest } from "@aws-sdk/client-dynamodb";
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import {
  CONNECTION_VALID_MS,
  type ConnectionId,
  DEFAULT_APP,
  openApplications,
  type Service,
  type Settings,
  systemClock,
} from "@topicast/core";
import { createDynamoDbClient, createDynamoDbConnectionStore, createDynamoDbTopicLog } from "@topicast/core/dynamodb";
import { queueHandler } from "@topicast/core/lambda";
import { encodeMessages, type Topic } from "@topicast/protocol";
import { aConnectionId, fewAtATime, meterCapacity } from "@topicast/testing";
import type { SQSRecord } from "aws-lambda";
import { createGatewayClient } from "../../core/src/drivers/aws-clients.ts";
import { createApiGateway } from "../../core/src/drivers/connection-gateway/api-gateway.ts";
import { targetItem } from "../../core/src/drivers/connection-store/dynamodb-targets.ts";
import { number, text } from "../../core/src/drivers/dynamodb/attributes.ts";
import { subscriptionKey } from "../../core/src/drivers/dynamodb/keys.ts";
import { createSqsQueue } from "../../core/src/drivers/fanout-queue/sqs.ts";
import { topicHash } from "../../core/src/drivers/topic-hash.ts";
import { REGION, startWire, type WireInfrastructure } from "./wire-infrastructure.ts";

const TABLE = "topicast";
const BATCH_WRITES = 25;
const credentials = { accessKeyId: "any", secretAccessKey: "any" };
/** As `serverless.yml` has it for the function that delivers. */
const WORKER_MS = 30_000;
/** On AWS each has a process and half a core of its own; here they share one. */
const WORKERS = 2;
/** Of a busy machine a slow answer is no fault, which posted again would count twice. */
const PATIENCE = { concurrency: 16, timeoutMs: 8_000 };

/** A Lambda with clients of its own, metered. */
export interface Lambda {
  readonly service: Service;
  readonly meter: ReturnType<typeof meterCapacity>;
  /** Requests to send to SQS. */
  sends(): number;
}

/** A topic whose subscribers are rows of the table and nothing else, and a stub of `@connections` that counts what they are posted. */
export interface GrowingTopic {
  readonly publisher: Lambda;
  readonly worker: Lambda;
  readonly subscribers: readonly ConnectionId[];
  /** What Lambdas logged: faults. */
  readonly lines: readonly string[];
  resize(subscribers: number): Promise<void>;
  /** Has workers take jobs until there are none; the longest that one ran, in ms, and how many batches of jobs there were. */
  work(): Promise<{ readonly longestMs: number; readonly batches: number }>;
  /** Whom a message was posted to, and how often. */
  posts(seq: number): Promise<ReadonlyMap<ConnectionId, number>>;
  /** Of all messages. */
  postCount(): Promise<number>;
  close(): Promise<void>;
}

export async function startGrowingTopic(topic: Topic, settings: Settings): Promise<GrowingTopic> {
  const wire = await startWire();
  await wire.makeTable(TABLE);
  const queueUrl = await wire.makeQueue("fanout", { VisibilityTimeout: "180" });
  const gateway = new Worker(join(__dirname, "posts-thread.mjs"));
  const [port] = (await once(gateway, "message")) as [number];
  const lines: string[] = [];
  const clients: { destroy(): void }[] = [];
  const createLambda = () => {
    const lambda = lambdaOf({ wire, queueUrl, endpoint: `http://127.0.0.1:${port}/dev`, settings, lines });
    clients.push(...lambda.clients);
    return lambda;
  };
  const [publisher, worker] = [createLambda(), createLambda()];
  const subscribers: ConnectionId[] = [];
  const { address } = publisher.service;

  /** Past the proxy, which would only count them. */
  async function write(requests: readonly WriteRequest[]): Promise<void> {
    const batches = Array.from({ length: Math.ceil(requests.length / BATCH_WRITES) }, (_, at) =>
      requests.slice(at * BATCH_WRITES, (at + 1) * BATCH_WRITES),
    );
    await fewAtATime(batches, (batch) =>
      wire.deployment.dynamodb.call("BatchWriteItem", { RequestItems: { [TABLE]: batch } }),
    );
  }

  function keyItem(id: ConnectionId) {
    const { p, s } = subscriptionKey(topicHash(DEFAULT_APP, topic), id);
    return { p: text(p), s: text(s) };
  }

  return {
    publisher,
    worker,
    subscribers,
    lines,

    async resize(count) {
      await write(subscribers.splice(count).map((id) => ({ DeleteRequest: { Key: keyItem(id) } })));
      const now = Date.now();
      const added = Array.from({ length: count - subscribers.length }, aConnectionId);
      const target = targetItem({ address, connectedAt: now, validUntil: now + CONNECTION_VALID_MS }, address);
      await write(added.map((id) => ({ PutRequest: { Item: { ...keyItem(id), ...target, b: number(now) } } })));
      subscribers.push(...added);
    },

    async work() {
      const runs: number[] = [];
      const workSome = async () => {
        for (let ms = await takeBatch(wire.sqsClient, queueUrl, worker.service); ms !== undefined; ) {
          runs.push(ms);
          ms = await takeBatch(wire.sqsClient, queueUrl, worker.service);
        }
      };
      // What one sends on while another ends is left to a last one.
      await Promise.all(Array.from({ length: WORKERS }, workSome));
      await workSome();
      return { longestMs: Math.max(0, ...runs), batches: runs.length };
    },

    async posts(seq) {
      gateway.postMessage(seq);
      const [counts] = (await once(gateway, "message")) as [[ConnectionId, number][]];
      return new Map(counts);
    },

    async postCount() {
      gateway.postMessage("total");
      const [total] = (await once(gateway, "message")) as [number];
      return total;
    },

    async close() {
      for (const client of clients) client.destroy();
      await wire.close();
      await gateway.terminate();
    },
  };
}

/** Receives and does a batch of jobs; for how many ms the handler ran. Undefined where there is no job. */
async function takeBatch(sqs: SQSClient, QueueUrl: string, service: Service): Promise<number | undefined> {
  const receive = { QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All" as const] };
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive));
  if (Messages.length === 0) return undefined;
  const Records = Messages.map(({ MessageId, Body, Attributes }) => {
    return { messageId: MessageId, body: Body, attributes: Attributes } as unknown as SQSRecord;
  });
  const startedAt = performance.now();
  const getRemainingTimeInMillis = () => WORKER_MS - (performance.now() - startedAt);
  const { batchItemFailures } = await queueHandler(service)({ Records }, { getRemainingTimeInMillis });
  const ms = performance.now() - startedAt;
  if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} jobs failed.`);
  const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  return ms;
}

interface LambdaOptions {
  readonly wire: WireInfrastructure;
  readonly queueUrl: string;
  readonly endpoint: string;
  readonly settings: Settings;
  readonly lines: string[];
}

function lambdaOf({ wire, queueUrl, endpoint, settings, lines }: LambdaOptions) {
  const at = { region: REGION, credentials };
  const client = createDynamoDbClient({ ...at, endpoint: wire.dynamodbUrl, attemptTimeoutMs: 3_000 });
  const meter = meterCapacity(client);
  const sqs = new SQSClient({ ...at, endpoint: wire.sqsUrl });
  let sends = 0;
  sqs.middlewareStack.add(
    (next) => (args) => {
      sends += 1;
      return next(args);
    },
    { step: "initialize", name: "countSends" },
  );
  const clock = systemClock;
  const store = { client, tableName: TABLE, clock };
  const log = (message: string) => lines.push(message);
  const logger = { warn: log, error: log };
  const gatewayClient = createGatewayClient({ ...at, endpoint, concurrency: PATIENCE.concurrency });
  const service: Service = {
    address: endpoint,
    applications: openApplications([]),
    connections: createDynamoDbConnectionStore({ ...store, address: endpoint }),
    log: createDynamoDbTopicLog(store),
    queue: createSqsQueue({ client: sqs, queueUrl, deadLetterQueueUrl: queueUrl, clock }),
    gateway: createApiGateway({ client: gatewayClient, logger, clock, ...PATIENCE }),
    clock,
    logger,
    envelope: { joins: true, frames: ({ topic, epoch, messages }) => encodeMessages({ topic, epoch }, messages) },
    settings,
  };
  return { service, meter, sends: () => sends, clients: [client, sqs, gatewayClient] };
}
