import { encodeFrame, type Topic } from "@topicast/protocol";
import pLimit from "p-limit";
import type { AppId, Subscriber, Target } from "../model.ts";
import type { PostFailures, PostOptions } from "../ports/connection-gateway.ts";
import type { Fanout, Job, MessagesFanout } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { encodeTick } from "./encode-tick.ts";

/**
 * A 410 for a connection younger than this may mean "not yet": while its `$connect` still runs, API Gateway answers so, and
 * forgetting it would lose a live client for good.
 */
export const YOUNG_MS = 10_000;

/** Rows that are forgotten side by side. */
const FORGET_CONCURRENCY = 10;

export type PostService = Pick<Service, "clock" | "connections" | "envelope" | "gateway" | "logger">;

/** Frames of a fan-out, encoded once for all connections that get the same. */
export interface FanoutFrames {
  readonly all: readonly string[];
  /** What one of its subscribers gets, where some get something else. */
  readonly of?: (subscriber: Subscriber) => readonly string[];
}

export function encodeFanout({ envelope }: PostService, fanout: Fanout): FanoutFrames {
  if (fanout.kind === "closing") {
    const { topic, reason } = fanout;
    return { all: [encodeFrame({ type: "closing", topic, reason, reconnect: true })] };
  }
  if (fanout.takenAt !== undefined) return encodeTick(envelope, fanout);
  const all = envelope.frames(fanout);
  if (fanout.sender === undefined || (fanout.echo && envelope.framesForSender === undefined)) return { all };
  const sender = fanout.echo ? (envelope.framesForSender?.(fanout) ?? all) : [];
  return { all, of: ({ id }) => (id === fanout.sender ? sender : all) };
}

/** Of a fan-out, what is tried again. */
export function numberedOf<F extends Fanout>(fanout: F): F {
  if (fanout.kind !== "messages" || fanout.takenAt === undefined) return fanout;
  return { ...fanout, messages: fanout.messages.filter(({ seq }) => seq !== undefined) };
}

/** Sent at most once: what fails is not tried again. */
export function isEphemeral(job: Fanout | Job): boolean {
  return job.kind === "messages" && job.epoch === undefined;
}

/**
 * Those of a page that a fan-out is for: not who subscribed after a closing, nor after something ephemeral, who may have met it on a page before and
 * come back. Of what is numbered nobody is left out.
 */
export function meantBy(fanout: Fanout, subscribers: readonly Subscriber[]): readonly Subscriber[] {
  const latest = fanout.kind === "closing" ? fanout.time : ephemeralSince(fanout);
  return latest === undefined ? subscribers : subscribers.filter(({ subscribedAt }) => subscribedAt <= latest);
}

function ephemeralSince(fanout: MessagesFanout): number | undefined {
  // Of a tick, each subscriber gets what it is meant to.
  if (fanout.takenAt !== undefined) return undefined;
  return isEphemeral(fanout) ? fanout.messages[0]?.time : undefined;
}

/** How a post went. */
export interface Posted<T extends Target> {
  readonly reached: readonly T[];
  /** Didn't get it and may still be there: throttled, failed, or too young for a 410 to say anything. */
  readonly missed: readonly T[];
  /** To be forgotten with {@link finish}, once those that were missed are safe. */
  readonly gone: readonly Target[];
}

/** Posts a fan-out to some of its subscribers. */
export async function postFanout(
  service: PostService,
  { all, of }: FanoutFrames,
  targets: readonly Subscriber[],
  options: PostOptions,
): Promise<Posted<Subscriber>> {
  if (of === undefined || targets.every((target) => of(target) === all))
    return postFrames(service, all, targets, options);
  const groups = new Map<readonly string[], Subscriber[]>();
  for (const target of targets) {
    const frames = of(target);
    const group = groups.get(frames);
    if (group === undefined) groups.set(frames, [target]);
    else group.push(target);
  }
  const posted = await Promise.all([...groups].map(([frames, group]) => postFrames(service, frames, group, options)));
  return {
    reached: posted.flatMap(({ reached }) => reached),
    missed: posted.flatMap(({ missed }) => missed),
    gone: posted.flatMap(({ gone }) => gone),
  };
}

/** Posts frames in order to each of the targets. */
export async function postFrames<T extends Target>(
  { gateway, clock }: Pick<PostService, "clock" | "gateway">,
  frames: readonly string[],
  targets: readonly T[],
  options: PostOptions,
): Promise<Posted<T>> {
  const missed: T[] = [];
  const gone: T[] = [];
  let left = targets;
  for (const frame of frames) {
    const failures = await gateway.post(left, frame, options);
    if (failures.gone.length + failures.throttled.length + failures.failed.length === 0) continue;
    const isYoung = ({ connectedAt }: Target) => clock.now() - connectedAt < YOUNG_MS;
    missed.push(...failures.gone.filter(isYoung), ...failures.throttled, ...failures.failed);
    gone.push(...failures.gone.filter((target) => !isYoung(target)));
    left = without(left, failures);
  }
  return { reached: left, missed, gone };
}

function without<T extends Target>(targets: readonly T[], { gone, throttled, failed }: PostFailures<T>): T[] {
  const out = new Set([...gone, ...throttled, ...failed]);
  return targets.filter((target) => !out.has(target));
}

/** What is left to do once those that were missed are safe. */
export interface Finish extends Pick<Posted<Subscriber>, "reached" | "gone"> {
  readonly forMs: number;
}

/**
 * Forgets connections that answered 410, as many as it can in time. Those that are left meet the same 410 at the next post, so nothing hangs
 * on it. Where subscriptions are to end, those of who was told do here, all of them, or it throws `UnavailableError`; who wasn't stays a subscriber.
 */
export async function finish(service: PostService, fanout: Fanout, todo: Finish): Promise<void> {
  const { connections } = service;
  const { reached, gone, forMs } = todo;
  const { app, topic } = fanout;
  if (fanout.kind === "closing") {
    await pLimit(FORGET_CONCURRENCY).map(reached, (subscriber) => connections.endSubscription(app, topic, subscriber));
  }
  await forgetGone(service, fanout, gone, forMs);
}

/** Where connections were met: in a topic, or in none. */
interface Meeting {
  readonly app: AppId;
  readonly topic?: Topic;
}

/** Forgets connections that answered 410, as many as it can in time. Never throws. */
export async function forgetGone(
  service: Pick<PostService, "clock" | "connections" | "logger">,
  meeting: Meeting,
  gone: readonly Target[],
  forMs: number,
): Promise<void> {
  if (gone.length === 0) return;
  const { clock } = service;
  const until = clock.now() + forMs;
  await pLimit(FORGET_CONCURRENCY).map(gone, async (target) => {
    if (clock.now() < until) await forget(service, meeting, target);
  });
}

async function forget(
  { connections, logger }: Pick<PostService, "connections" | "logger">,
  { app, topic }: Meeting,
  { id }: Target,
): Promise<void> {
  try {
    const isKnown = await connections.disconnect(app, id);
    // A subscribe that ran beside the disconnect may have left its subscription behind.
    if (!isKnown && topic !== undefined) await connections.unsubscribe(app, topic, id);
  } catch (error) {
    // The delivery itself is done. The next post meets the same 410 and tries again.
    logger.warn("A connection that is gone could not be forgotten.", { connectionId: id, error });
  }
}
