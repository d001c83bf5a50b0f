import type { Topic } from "@topicast/protocol";
import type { AppId } from "../model.ts";
import type { TickJob } from "../ports/fanout-queue.ts";
import type { Ticking, WakeUp } from "../ports/ticks.ts";
import { randomName } from "../random-name.ts";
import type { Service } from "../service.ts";

export type WakeUpService = Pick<Service, "clock" | "log" | "queue">;

/** The job of a wake-up that is overdue for so long is taken for lost, and another is sent. Queues are rarely so slow, and a game stands still no longer. */
const OVERDUE_MS = 1_000;

/** Waits before another publisher, who claimed the wake-up a moment ago, is looked at once more: its job is on its way to the queue. */
const LOOKS_AFTER_MS = [15, 30];

export interface TickedTopic {
  readonly app: AppId;
  readonly topic: Topic;
  readonly tickMs: number;
}

/** A wake-up at the end of a tick that begins now. */
export function aWakeUp(now: number, tickMs: number): Omit<WakeUp, "isSent"> {
  return { id: randomName(), dueAt: now + tickMs };
}

/**
 * Once this resolves, a job that runs later is safely queued, or what was counted in is handed out already. `counted` is what the count found, `mine` the
 * wake-up that it would have claimed. In a busy topic that is a sent one of a worker's, and there is nothing to do. Otherwise the one that claimed sends
 * the job; everyone else waits a moment for that, and then sends one too, for the same wake-up: whichever comes first does all, so that a queue which is late
 * stops nothing. Throws `UnavailableError`.
 */
export async function ensureWakeUp(
  service: WakeUpService,
  ticked: TickedTopic,
  counted: Ticking,
  mine: Omit<WakeUp, "isSent">,
): Promise<void> {
  const { log, queue, clock } = service;
  const { app, topic, tickMs } = ticked;
  const found = counted.wakeUp.id === mine.id ? counted : await lookAgain(service, ticked, counted);
  if (found === undefined) return;
  const { id } = found.wakeUp;
  const { dueAt } = aWakeUp(clock.now(), tickMs);
  const job: TickJob = { kind: "tick", app, topic, id, dueAt, tickMs, from: found.place, attempt: 1 };
  await queue.send([job]);
  // Refused where somebody else was quicker: then a job that was sent is there too.
  await log.replaceWakeUp(app, topic, found.wakeUp, { id, dueAt, isSent: true });
}

/** What needs a wake-up of ours; undefined where there is one, or nothing waits any more. */
async function lookAgain({ log, clock }: WakeUpService, { app, topic }: TickedTopic, counted: Ticking) {
  let found: Ticking | undefined = counted;
  for (const waitMs of LOOKS_AFTER_MS) {
    const now = clock.now();
    if (isCovered(found.wakeUp, now)) return undefined;
    if (isOverdue(found.wakeUp, now)) break;
    await clock.sleep(waitMs);
    found = await log.ticking(app, topic);
    // Of another epoch: what was counted in is deleted.
    if (found?.place.epoch !== counted.place.epoch) return undefined;
  }
  return isCovered(found.wakeUp, clock.now()) ? undefined : found;
}

function isCovered(wakeUp: WakeUp, now: number): boolean {
  return wakeUp.isSent && !isOverdue(wakeUp, now);
}

function isOverdue({ dueAt }: WakeUp, now: number): boolean {
  return now - dueAt > OVERDUE_MS;
}
