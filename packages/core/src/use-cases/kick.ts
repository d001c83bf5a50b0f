import pLimit from "p-limit";
import { isUnavailable } from "../errors.ts";
import type { AppId, ConnectionId, Target } from "../model.ts";
import type { KickJob } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { endConnection } from "./end-connection.ts";
import { RECIPIENTS_PAGE, type WorkService, workThrough } from "./work-through.ts";
import type { RemainingMs } from "./worker-time.ts";

export type KickService = WorkService & Pick<Service, "gateway">;

/** Nobody waits longer for a user's connections to be closed; those left get a job. */
const KICKING_MS = 8_000;
/** Connections that are closed side by side. */
const KICK_CONCURRENCY = 10;
const KICKED = { reason: "kicked", reconnect: false } as const;

/** Tells a connection that it is kicked, and closes it; whether it was there. Repeating it is safe. Throws `UnavailableError`, as while its handshake runs. */
export async function kick(
  service: Pick<Service, "clock" | "connections" | "gateway">,
  app: AppId,
  id: ConnectionId,
): Promise<boolean> {
  const connection = await service.connections.get(app, id, "fresh");
  return connection !== undefined && endConnection(service, app, connection, KICKED);
}

/**
 * Kicks all connections that a user has now. Once this resolves they are closed, or part of a job that is safely kept. Repeating it is safe. Throws
 * `UnavailableError`: then repeat it.
 */
export async function kickUser(service: KickService, app: AppId, user: string): Promise<void> {
  const { clock, connections, queue } = service;
  const time = clock.now();
  const about = { kind: "kick", app, time, attempt: 1 } as const;
  const leftMs = () => Math.max(0, time + KICKING_MS - clock.now());
  let cursor: string | undefined;
  do {
    const at = cursor === undefined ? {} : { cursor };
    const page = await connections.connectionsOf(app, user, { ...at, limit: RECIPIENTS_PAGE });
    const only = (await kickAll(service, about, page.connections, leftMs())).map(({ id }) => id);
    if (only.length > 0) await queue.send([{ ...about, only }]);
    cursor = page.cursor;
  } while (cursor !== undefined && leftMs() > 0);
  if (cursor !== undefined) await queue.send([{ ...about, user, cursor }]);
}

/** Has a worker kick those that could not be kicked at once; see {@link workThrough}. */
export function kickLater(service: KickService, job: KickJob, remainingMs: RemainingMs): Promise<void> {
  const act = async (targets: readonly Target[], forMs: number) => ({
    missed: await kickAll(service, job, targets, forMs),
    gone: [],
  });
  return workThrough(service, job, act, remainingMs);
}

/** Those that may still be there. */
async function kickAll(
  service: KickService,
  { app, time }: Pick<KickJob, "app" | "time">,
  targets: readonly Target[],
  forMs: number,
): Promise<Target[]> {
  const { clock } = service;
  const until = clock.now() + forMs;
  const missed: Target[] = [];
  const meant = targets.filter(({ connectedAt }) => connectedAt <= time);
  await pLimit(KICK_CONCURRENCY).map(meant, async (target) => {
    if (clock.now() >= until || !(await tryToKick(service, app, target))) missed.push(target);
  });
  return missed;
}

async function tryToKick(service: KickService, app: AppId, target: Target): Promise<boolean> {
  try {
    await endConnection(service, app, target, KICKED);
    return true;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    service.logger.warn("A connection could not be kicked; a worker tries again.", { connectionId: target.id, error });
    return false;
  }
}
