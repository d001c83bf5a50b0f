import { encodeFrame } from "@topicast/protocol";
import type { AppId, ConnectionId, DirectMessage, Target } from "../model.ts";
import type { DirectJob } from "../ports/fanout-queue.ts";
import { forgetGone, type PostService, postFrames } from "./post-fanout.ts";
import { RECIPIENTS_PAGE, type WorkService, workThrough } from "./work-through.ts";
import type { RemainingMs } from "./worker-time.ts";

export type SendService = WorkService & Pick<PostService, "gateway">;

/** Nobody waits longer for a user's connections; those left get a job. */
const POSTING_MS = 8_000;
const FORGETTING_MS = 3_000;
/** Connections of one user that are counted, and named in jobs; those beyond are left to a job that finds them itself. */
const MAX_COUNTED = 1_000;
/** Pages of a count: a page may hold fewer than it could. */
const MAX_PAGES = 20;

export interface Sent {
  /** How many connections it was sent to. */
  readonly connections: number;
  /** Where there are more than were counted. */
  readonly approximate?: true;
}

/**
 * Sends to all connections of a user: posts to a few, and leaves many to the workers. Once this resolves each of them got it, is gone, or is part of a job
 * that is safely kept. Throws `UnavailableError`: then a repeat is needed, and some may get it twice.
 */
export async function sendToUser(
  service: SendService,
  app: AppId,
  user: string,
  message: DirectMessage,
): Promise<Sent> {
  const { inlineMax } = service.settings;
  const page = await service.connections.connectionsOf(app, user, { limit: Math.max(1, inlineMax) });
  const { connections, cursor } = page;
  if (cursor !== undefined || connections.length > inlineMax) return leaveToWorkers(service, app, user, message);
  return { connections: await postOrQueue(service, app, connections, message) };
}

/** The same for one connection; false where there is none. */
export async function sendToConnection(
  service: SendService,
  app: AppId,
  id: ConnectionId,
  message: DirectMessage,
): Promise<boolean> {
  const connection = await service.connections.get(app, id, "fresh");
  return connection !== undefined && (await postOrQueue(service, app, [connection], message)) > 0;
}

/** How many got it, or will. */
async function postOrQueue(
  service: SendService,
  app: AppId,
  targets: readonly Target[],
  message: DirectMessage,
): Promise<number> {
  const { reached, missed, gone } = await postFrames(service, framesOf(message), targets, { forMs: POSTING_MS });
  const only = missed.map(({ id }) => id);
  if (only.length > 0) await service.queue.send([{ kind: "direct", app, message, only, attempt: 1 }]);
  await forgetGone(service, { app }, gone, FORGETTING_MS);
  return reached.length + only.length;
}

async function leaveToWorkers(
  { connections, queue }: SendService,
  app: AppId,
  user: string,
  message: DirectMessage,
): Promise<Sent> {
  const about = { kind: "direct", app, message, attempt: 1 } as const;
  const jobs: DirectJob[] = [];
  let count = 0;
  let cursor: string | undefined;
  let pages = 0;
  do {
    const at = cursor === undefined ? {} : { cursor };
    const page = await connections.connectionsOf(app, user, { ...at, limit: RECIPIENTS_PAGE });
    const only = page.connections.map(({ id }) => id);
    if (only.length > 0) jobs.push({ ...about, only });
    count += only.length;
    cursor = page.cursor;
    pages += 1;
  } while (cursor !== undefined && count < MAX_COUNTED && pages < MAX_PAGES);
  if (cursor !== undefined) jobs.push({ ...about, user, cursor });
  await queue.send(jobs);
  return { connections: count, ...(cursor !== undefined && { approximate: true }) };
}

/** Has a worker send what could not be sent at once; see {@link workThrough}. */
export function sendLater(service: SendService, job: DirectJob, remainingMs: RemainingMs): Promise<void> {
  const frames = framesOf(job.message);
  return workThrough(service, job, (targets, forMs) => postFrames(service, frames, targets, { forMs }), remainingMs);
}

function framesOf(message: DirectMessage): readonly string[] {
  return [encodeFrame({ type: "direct", ...message })];
}
