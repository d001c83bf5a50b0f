import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { jest } from "@jest/globals";
import { systemClock } from "@topicast/core";
import { type DeadJob, describeFanoutQueueContract, type ReceivedJob } from "@topicast/testing";
import { createSqsQueue } from "../../core/src/drivers/fanout-queue/sqs.ts";
import { REGION, startWire, type WireInfrastructure } from "./wire-infrastructure.ts";

// Redelivery takes its time on a queue that keeps its own.
jest.setTimeout(30_000);

const MAX_RECEIVE_COUNT = 3;
const VISIBILITY_TIMEOUT_SECONDS = 1;

describeFanoutQueueContract("SQS", async () => {
  const wire = await startWire();
  const deadLetterQueueUrl = await wire.makeQueue("dead");
  const redrive = {
    deadLetterTargetArn: `arn:aws:sqs:${REGION}:000000000000:dead`,
    maxReceiveCount: MAX_RECEIVE_COUNT,
  };
  const queueUrl = await wire.makeQueue("fanout", {
    VisibilityTimeout: String(VISIBILITY_TIMEOUT_SECONDS),
    RedrivePolicy: JSON.stringify(redrive),
  });
  return {
    queue: createSqsQueue({ client: wire.sqsClient, queueUrl, deadLetterQueueUrl, clock: systemClock }),
    // The queue keeps its own time.
    clock: { now: Date.now, advance: systemClock.sleep },
    maxReceiveCount: MAX_RECEIVE_COUNT,
    visibilityTimeoutMs: VISIBILITY_TIMEOUT_SECONDS * 1_000,
    receive: async () => (await receive(wire, queueUrl)).map(receivedJob),
    async delete(handle: string) {
      await wire.sqsClient.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: handle }));
    },
    // A failed record is left to its visibility timeout, as a Lambda leaves it.
    release: async () => {},
    async deadLetters() {
      const messages = await receive(wire, deadLetterQueueUrl);
      for (const { ReceiptHandle } of messages) {
        const visible = { QueueUrl: deadLetterQueueUrl, ReceiptHandle, VisibilityTimeout: 0 };
        await wire.sqsClient.send(new ChangeMessageVisibilityCommand(visible));
      }
      return messages.map(deadJob);
    },
    close: () => wire.close(),
  };
});

async function receive({ sqsClient }: WireInfrastructure, queueUrl: string): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 10,
    MessageAttributeNames: ["All"],
    MessageSystemAttributeNames: ["ApproximateReceiveCount"],
  });
  return (await sqsClient.send(command)).Messages ?? [];
}

function receivedJob({ Body = "", ReceiptHandle = "", Attributes }: Message): ReceivedJob {
  return { job: JSON.parse(Body), handle: ReceiptHandle, receiveCount: Number(Attributes?.ApproximateReceiveCount) };
}

function deadJob({ Body = "", MessageAttributes }: Message): DeadJob {
  const reason = MessageAttributes?.reason?.StringValue;
  return { job: JSON.parse(Body), ...(reason !== undefined && { reason }) };
}
