import type { Json, Place, Topic } from "@topicast/protocol";
import type { AppId, ConnectionId } from "../model.ts";
import type { Batch, Retention } from "../ports/topic-log.ts";
import { type FanOutService, fanOut } from "./fan-out.ts";
import { aWakeUp, ensureWakeUp, type WakeUpService } from "./wake-up.ts";

export type PublishTickedService = FanOutService & WakeUpService;

/** Where, and how often deliveries leave there. */
export interface Ticked {
  readonly app: AppId;
  readonly topic: Topic;
  readonly tickMs: number;
  /** The connection that gets no copy. */
  readonly except: ConnectionId | undefined;
}

/**
 * Publishes a batch whose delivery leaves with the topic's next tick. Once this resolves it has its numbers, is in the history, and a job is safely queued
 * that will find it. Throws `UnavailableError`.
 */
export async function publishInTick(
  service: PublishTickedService,
  ticked: Ticked,
  batch: Batch,
  retention: Retention,
): Promise<Place> {
  const { app, topic, except } = ticked;
  const mine = aWakeUp(service.clock.now(), ticked.tickMs);
  const tick = { wakeUp: mine, ...(except !== undefined && { except }) };
  const { place, messages, ticking } = await service.log.append(app, topic, { ...batch, tick }, retention);
  if (ticking !== undefined) await ensureWakeUp(service, ticked, ticking, mine);
  // A repeat: the first may have died before anyone got it, and whether a tick took it since can't be told. It is rare, and goes out at once.
  else if (messages.length > 0) await fanOut(service, { ...repeatOf(ticked), epoch: place.epoch, messages });
  return place;
}

function repeatOf({ app, topic, except }: Ticked) {
  const echo = except === undefined;
  return { kind: "messages", app, topic, ...(except !== undefined && { sender: except }), echo } as const;
}

/** What is ephemeral, as it comes. */
export interface Unnumbered {
  readonly payloads: readonly Json[];
  readonly from?: string;
  readonly time: number;
  readonly key?: string;
  readonly latest?: string;
}

/** The same for what has no number and no history: it is delivered once or never. Throws `UnavailableError`. */
export async function gatherInTick(
  service: PublishTickedService,
  ticked: Ticked,
  unnumbered: Unnumbered,
): Promise<void> {
  const { app, topic, except } = ticked;
  const mine = aWakeUp(service.clock.now(), ticked.tickMs);
  const tick = { wakeUp: mine, ...(except !== undefined && { except }) };
  const ticking = await service.log.gather(app, topic, { ...unnumbered, tick });
  await ensureWakeUp(service, ticked, ticking, mine);
}
