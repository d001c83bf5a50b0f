import { MAX_SERVER_FRAME_BYTES, payloadBytes } from "@topicast/protocol";
import type { Outgoing } from "../model.ts";
import type { MessagesFanout, TickJob } from "../ports/fanout-queue.ts";
import type { TickMessage } from "../ports/ticks.ts";
import { epochOf } from "./encode-tick.ts";
import { type FanOutService, fanOut } from "./fan-out.ts";

export type PostTickService = FanOutService;

/** Each subscriber gets one frame, or several where one would be too large. Who has at most a page of subscribers has them posted to here. */
export async function postTick(
  service: PostTickService,
  { app, topic, from }: Pick<TickJob, "app" | "topic" | "from">,
  messages: readonly TickMessage[],
): Promise<void> {
  const { settings, clock } = service;
  const inlineMax = Math.max(settings.inlineMax, settings.pageSize);
  const takenAt = clock.now();
  for (const chunk of chunksOf(messages)) {
    const about = { kind: "messages", app, topic, echo: true, takenAt } as const;
    const fanout: MessagesFanout = { ...about, ...epochOf(chunk, from.epoch), messages: chunk };
    await fanOut({ ...service, settings: { ...settings, inlineMax } }, fanout);
  }
}

/** In parts that a job can carry. */
function chunksOf(messages: readonly TickMessage[]): Outgoing[][] {
  const chunks: Outgoing[][] = [];
  let bytes = 0;
  for (const { message, except } of messages) {
    const size = payloadBytes([message.payload]);
    const chunk = bytes + size <= MAX_SERVER_FRAME_BYTES ? chunks.at(-1) : undefined;
    bytes = chunk === undefined ? size : bytes + size;
    const outgoing = except === undefined ? message : { ...message, except };
    if (chunk === undefined) chunks.push([outgoing]);
    else chunk.push(outgoing);
  }
  return chunks;
}
