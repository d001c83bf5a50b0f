import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { Job } from "../ports/fanout-queue.ts";
import { doJob, type JobService } from "../use-cases/do-job.ts";
import { isEphemeral, numberedOf } from "../use-cases/post-fanout.ts";
import { MAX_EPHEMERAL_WAIT_MS, type RemainingMs } from "../use-cases/worker-time.ts";

export type QueueService = JobService;

/**
 * A job that waited longer in the queue is put aside: what it carries is long past the history, and workers that far behind are better
 * spent on what is new.
 */
const MAX_WAIT_MS = 15 * 60_000;

interface Load {
  readonly remainingMs: RemainingMs;
  /** Whether there are several jobs for one worker. */
  readonly isShared: boolean;
}

/** A Lambda handler for the fan-out queue: delivers the records of a batch side by side and returns those to receive again. */
export function queueHandler(service: QueueService) {
  return async (
    { Records }: SQSEvent,
    context: Pick<Context, "getRemainingTimeInMillis">,
  ): Promise<SQSBatchResponse> => {
    const remainingMs = () => context.getRemainingTimeInMillis();
    const load: Load = { remainingMs, isShared: Records.length > 1 };
    const failed = await Promise.all(Records.map((record) => tryDeliver(service, record, load)));
    return { batchItemFailures: failed.filter((id) => id !== undefined).map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** The record's id where it failed. */
async function tryDeliver(service: QueueService, record: SQSRecord, load: Load): Promise<string | undefined> {
  try {
    await deliverRecord(service, record, load);
    return undefined;
  } catch (error) {
    // The queue brings it again, and makes it a dead letter where it fails too often.
    const { messageId } = record;
    service.logger.error("A job failed and will be received again.", { messageId, error });
    return messageId;
  }
}

/** How old a job's messages are, however often it was handed on: each time the queue counts anew. */
function ageMs(job: Job, now: number): number {
  return job.kind === "messages" ? now - (job.takenAt ?? job.messages[0]?.time ?? now) : 0;
}

async function deliverRecord(service: QueueService, record: SQSRecord, load: Load): Promise<void> {
  // Only our own functions may send to the queue, so a record is a job. What is ephemeral is done with at its first try, whatever became of it.
  const job = JSON.parse(record.body) as Job;
  const waitedMs = service.clock.now() - Number(record.attributes.SentTimestamp);
  const isRepeated = Number(record.attributes.ApproximateReceiveCount) > 1;
  const isPast = isRepeated || Math.max(waitedMs, ageMs(job, service.clock.now())) > MAX_EPHEMERAL_WAIT_MS;
  if (isEphemeral(job) && isPast) return;
  if (waitedMs <= MAX_WAIT_MS) {
    const left = job.kind === "messages" && isPast ? numberedOf(job) : job;
    const known = left.kind === "tick" && isRepeated ? { ...left, mayHaveTaken: true } : left;
    return doJob(service, known, load.remainingMs, load.isShared);
  }
  service.logger.error("A job waited too long; it is a dead letter.", { messageId: record.messageId, waitedMs });
  await service.queue.deadLetter({ ...job, attempt: 1 }, `waited for more than ${MAX_WAIT_MS / 60_000} minutes`);
}
