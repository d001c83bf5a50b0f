import { type ClosingFrame, encodeFrame } from "@topicast/protocol";
import { isUnavailable, UnavailableError } from "../errors.ts";
import type { AppId, Target } from "../model.ts";
import type { Service } from "../service.ts";
import { postFrames } from "./post-fanout.ts";

export interface Ending extends Pick<ClosingFrame, "reconnect"> {
  readonly reason: "kicked" | "token_expired" | "application_deleted";
}

export const TOKEN_EXPIRED: Ending = { reason: "token_expired", reconnect: true };
export const APPLICATION_DELETED: Ending = { reason: "application_deleted", reconnect: false };

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
  const closed = await closeConnection(service, target, ending);
  await service.connections.disconnect(app, target.id);
  return closed === "closed";
}

/** The same, where nothing hangs on it: what fails is logged, and left for the next who finds the connection there. */
export async function tryToEndConnection(
  service: EndConnectionService & Pick<Service, "logger">,
  app: AppId,
  target: Target,
  ending: Ending,
): Promise<void> {
  try {
    await endConnection(service, app, target, ending);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    service.logger.warn("A connection could not be ended.", { connectionId: target.id, ...ending, error });
  }
}

/** Tells a connection why it ends, and ends it. Throws `UnavailableError` as {@link endConnection} does. */
export async function closeConnection(
  service: Pick<Service, "clock" | "gateway">,
  target: Target,
  ending: Ending,
): Promise<"closed" | "gone"> {
  const frame = encodeFrame({ type: "closing", ...ending });
  const { missed } = await postFrames(service, [frame], [target], { forMs: POSTING_MS });
  if (missed.length > 0) throw new UnavailableError("gateway", "A connection could not be told that it ends.");
  return service.gateway.close(target);
}
