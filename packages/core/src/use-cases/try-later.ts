import type { Job } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";

/** Longest delay of a new job. With six attempts they add up to half a minute: three times the age at which a 410 counts. */
const MAX_DELAY_SECONDS = 60;

/**
 * Has a job done again, later the more often it failed in turn, or makes it a dead letter. Nothing waits here: a worker that slept for one connection
 * would hold up all the others behind it.
 */
export async function tryLater(
  { queue, settings, logger }: Pick<Service, "queue" | "settings" | "logger">,
  job: Job,
  failed: number,
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (failed >= settings.maxAttempts) {
    logger.error("A job ran out of attempts; it is a dead letter.", { kind: job.kind, ...about });
    // Sent again by an operator, it has all its attempts anew.
    await queue.deadLetter({ ...job, attempt: 1 }, `not reached in ${failed} attempts`);
    return;
  }
  const delaySeconds = Math.min(2 ** Math.max(0, failed - 1), MAX_DELAY_SECONDS);
  await queue.send([{ ...job, attempt: failed + 1 }], { delaySeconds });
}
