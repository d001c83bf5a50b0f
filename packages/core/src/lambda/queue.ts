import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { FanoutJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { deliver } from "../use-cases/deliver.ts";

/** A Lambda handler for the fan-out queue: delivers the records of a batch side by side and returns those to receive again. */
export function queueHandler(service: Service) {
  return async (
    { Records }: SQSEvent,
    context: Pick<Context, "getRemainingTimeInMillis">,
  ): Promise<SQSBatchResponse> => {
    const remainingMs = () => context.getRemainingTimeInMillis();
    const failed = await Promise.all(Records.map((record) => deliverRecord(service, record, remainingMs)));
    return { batchItemFailures: failed.filter((id) => id !== undefined).map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** The record's id where it failed. */
async function deliverRecord(
  service: Service,
  { body, messageId }: SQSRecord,
  remainingMs: () => number,
): Promise<string | undefined> {
  try {
    // Only our own functions may send to the queue, so a record is a job.
    await deliver(service, JSON.parse(body) as FanoutJob, remainingMs);
    return undefined;
  } catch (error) {
    // The queue brings it again, and buries it where it fails too often.
    service.logger.error("A job failed and will be received again.", { messageId, error });
    return messageId;
  }
}
