import { MAX_SERVER_FRAME_BYTES } from "@topicast/protocol";
import type { Outgoing } from "../model.ts";
import type { MessagesFanout, TickJob } from "../ports/fanout-queue.ts";
import type { TickMessage } from "../ports/ticks.ts";
import { epochOf } from "./encode-tick.ts";
import { type FanOutService, FEW_MS, fanOut } from "./fan-out.ts";
import { HAND_ON_MS, type RemainingMs } from "./worker-time.ts";

export type PostTickService = FanOutService;

/**
 * Each subscriber gets one frame, or several where one would be too large. A topic that has at most a page of them has them posted to here, as far as
 * time allows; all else becomes jobs.
 */
export async function postTick(
  service: PostTickService,
  { app, topic, from }: Pick<TickJob, "app" | "topic" | "from">,
  messages: readonly TickMessage[],
  remainingMs: RemainingMs,
): Promise<void> {
  const { settings, clock } = service;
  const takenAt = clock.now();
  for (const chunk of chunksOf(messages)) {
    const about = { kind: "messages", app, topic, echo: true, takenAt } as const;
    const fanout: MessagesFanout = { ...about, ...epochOf(chunk, from.epoch), messages: chunk };
    const isInTime = remainingMs() >= FEW_MS + HAND_ON_MS;
    const inlineMax = isInTime ? Math.max(settings.inlineMax, settings.pageSize) : 0;
    await fanOut({ ...service, settings: { ...settings, inlineMax } }, fanout);
  }
}

/** In parts that a job can carry, with all that a message has beside its payload: of many small ones that is most. */
function chunksOf(messages: readonly TickMessage[]): Outgoing[][] {
  const chunks: Outgoing[][] = [];
  let bytes = 0;
  for (const { message, except } of messages) {
    const outgoing = except === undefined ? message : { ...message, except };
    const size = Buffer.byteLength(JSON.stringify(outgoing));
    const chunk = bytes + size <= MAX_SERVER_FRAME_BYTES ? chunks.at(-1) : undefined;
    bytes = chunk === undefined ? size : bytes + size;
    if (chunk === undefined) chunks.push([outgoing]);
    else chunk.push(outgoing);
  }
  return chunks;
}
