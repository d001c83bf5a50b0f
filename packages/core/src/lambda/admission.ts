import { type Fault, refuse } from "@topicast/protocol";
import type { Caller } from "../access.ts";
import { isUnavailable } from "../errors.ts";
import type { Target } from "../model.ts";
import type { RateLimiter } from "../rate-limiter.ts";
import type { Service } from "../service.ts";
import { type EndConnectionService, type Ending, endConnection } from "../use-cases/end-connection.ts";

export type AdmissionService = EndConnectionService &
  Pick<Service, "applications" | "logger"> & { readonly limiter: RateLimiter };

const EXPIRED = refuse("unauthorized", "This connection's token has expired. Connect again with a new one.").fault;
const DELETED = refuse("unauthorized", "This connection's application is there no more.").fault;

/**
 * Why a message isn't handled; `undefined` where it is. A connection whose token or application has come to its end, which nobody may have noticed,
 * is ended. Throws `UnavailableError`.
 */
export async function findObstacle(
  service: AdmissionService,
  { connection, ...caller }: Caller & { readonly connection: Target },
): Promise<Fault | undefined> {
  const retryAfter = service.limiter.take(connection.id);
  if (retryAfter !== undefined) {
    return { code: "rate_limited", message: `Too many messages; try again in ${retryAfter} ms.`, retryAfter };
  }
  if ((await service.applications.find(caller.app)) === undefined) {
    await tryToEnd(service, caller, connection, { reason: "application_deleted", reconnect: false });
    return DELETED;
  }
  if ((caller.expiresAt ?? Infinity) > service.clock.now()) return undefined;
  await tryToEnd(service, caller, connection, { reason: "token_expired", reconnect: true });
  return EXPIRED;
}

async function tryToEnd(service: AdmissionService, { app }: Caller, target: Target, ending: Ending): Promise<void> {
  try {
    await endConnection(service, app, target, ending);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    // It is refused all the same, and its next message tries again.
    service.logger.warn("A connection could not be ended.", { connectionId: target.id, ...ending, error });
  }
}
