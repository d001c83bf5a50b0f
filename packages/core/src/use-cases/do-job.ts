import type { Job } from "../ports/fanout-queue.ts";
import { type DeliverService, deliver } from "./deliver.ts";
import { deliverTick, type TickService } from "./deliver-tick.ts";
import { type KickService, kickLater } from "./kick.ts";
import { type ReplayService, replay } from "./replay.ts";
import { type SendService, sendLater } from "./send-direct.ts";
import type { RemainingMs } from "./worker-time.ts";

export type JobService = DeliverService & TickService & ReplayService & SendService & KickService;

/**
 * Does what a worker gets, each kind as its use case says; `isShared` where the worker has other jobs too. Throws `UnavailableError`: then the job must
 * be done again.
 */
export function doJob(service: JobService, job: Job, remainingMs: RemainingMs, isShared = false): Promise<void> {
  switch (job.kind) {
    case "replay":
      return replay(service, job, remainingMs);
    case "direct":
      return sendLater(service, job, remainingMs);
    case "kick":
      return kickLater(service, job, remainingMs);
    case "tick":
      return deliverTick(service, job, remainingMs);
    case "messages":
    case "closing":
      return deliver(service, job, remainingMs, isShared);
  }
}
