import { type ClosingFrame, encodeFrame } from "@topicast/protocol";
import { UnavailableError } from "../errors.ts";
import type { AppId, Target } from "../model.ts";
import type { Service } from "../service.ts";
import { postFrames } from "./post-fanout.ts";

export interface Ending extends Pick<ClosingFrame, "reconnect"> {
  readonly reason: "kicked" | "token_expired" | "application_deleted";
}

const POSTING_MS = 3_000;

export type EndConnectionService = Pick<Service, "clock" | "connections" | "gateway">;

/**
 * Tells a connection why it ends, ends it and forgets it; whether it was there. Repeating it is safe. Throws `UnavailableError` where it may not have
 * been told, or may still be there.
 */
export async function endConnection(
  service: EndConnectionService,
  app: AppId,
  target: Target,
  ending: Ending,
): Promise<boolean> {
  const frame = encodeFrame({ type: "closing", ...ending });
  const { missed } = await postFrames(service, [frame], [target], { forMs: POSTING_MS });
  if (missed.length > 0) throw new UnavailableError("gateway", "A connection could not be told that it ends.");
  const closed = await service.gateway.close(target);
  await service.connections.disconnect(app, target.id);
  return closed === "closed";
}
