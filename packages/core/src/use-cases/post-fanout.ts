import pLimit from "p-limit";
import type { Target } from "../model.ts";
import type { PostFailures, PostOptions } from "../ports/connection-gateway.ts";
import type { Fanout } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";

/**
 * A 410 for a connection younger than this may mean "not yet": while its `$connect` still runs, API Gateway answers so, and
 * forgetting it would lose a live client for good.
 */
export const YOUNG_MS = 10_000;

/** Rows that are forgotten side by side. */
const PRUNE_CONCURRENCY = 10;

export type PostService = Pick<Service, "clock" | "connections" | "envelope" | "gateway" | "logger">;

/** Frames of a fan-out, encoded once for all connections that it goes to. */
export interface FanoutFrames {
  readonly all: readonly string[];
  readonly sender: readonly string[];
}

export function encodeFanout({ envelope }: PostService, fanout: Fanout): FanoutFrames {
  const all = envelope.frames(fanout);
  return { all, sender: fanout.echo ? (envelope.framesForSender?.(fanout) ?? all) : [] };
}

/**
 * Posts a fan-out to some of its subscribers and forgets those that are gone. Returns those that didn't get it and may still be there:
 * throttled, failed, or too young for a 410 to say anything.
 */
export async function postFanout(
  service: PostService,
  fanout: Fanout,
  frames: FanoutFrames,
  targets: readonly Target[],
  options: PostOptions = {},
): Promise<Target[]> {
  const isSender = ({ id }: Target) => id === fanout.sender;
  if (frames.sender === frames.all || !targets.some(isSender))
    return postAll(service, fanout, frames.all, targets, options);
  const others = targets.filter((target) => !isSender(target));
  const missed = await Promise.all([
    postAll(service, fanout, frames.sender, targets.filter(isSender), options),
    postAll(service, fanout, frames.all, others, options),
  ]);
  return missed.flat();
}

async function postAll(
  service: PostService,
  fanout: Fanout,
  frames: readonly string[],
  targets: readonly Target[],
  options: PostOptions,
): Promise<Target[]> {
  const missed: Target[] = [];
  let left = targets;
  for (const frame of frames) {
    const failures = await service.gateway.post(left, frame, options);
    const { gone, throttled, failed } = failures;
    if (gone.length + throttled.length + failed.length === 0) continue;
    missed.push(...(await prune(service, fanout, gone)), ...throttled, ...failed);
    left = without(left, failures);
  }
  return missed;
}

function without(targets: readonly Target[], { gone, throttled, failed }: PostFailures): Target[] {
  const out = new Set([...gone, ...throttled, ...failed]);
  return targets.filter((target) => !out.has(target));
}

/** Forgets connections that answered 410; returns those too young to tell. */
async function prune(service: PostService, fanout: Fanout, gone: readonly Target[]): Promise<Target[]> {
  const now = service.clock.now();
  const isYoung = ({ connectedAt }: Target) => now - connectedAt < YOUNG_MS;
  const old = gone.filter((target) => !isYoung(target));
  await pLimit(PRUNE_CONCURRENCY).map(old, (target) => forget(service, fanout, target));
  return gone.filter(isYoung);
}

async function forget({ connections, logger }: PostService, { app, topic }: Fanout, { id }: Target): Promise<void> {
  try {
    const isKnown = await connections.disconnect(app, id);
    // A subscribe that ran beside the disconnect may have left its subscription behind.
    if (!isKnown) await connections.unsubscribe(app, topic, id);
  } catch (error) {
    // The delivery itself is done. The next post meets the same 410 and tries again.
    logger.warn("A connection that is gone could not be forgotten.", { connectionId: id, error });
  }
}
