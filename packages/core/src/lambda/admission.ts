import { type Fault, refuse } from "@topicast/protocol";
import type { Caller } from "../access.ts";
import type { Target } from "../model.ts";
import type { RateLimiter } from "../rate-limiter.ts";
import type { Service } from "../service.ts";
import {
  APPLICATION_DELETED,
  type EndConnectionService,
  TOKEN_EXPIRED,
  tryToEndConnection,
} from "../use-cases/end-connection.ts";

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
    await tryToEndConnection(service, caller.app, connection, APPLICATION_DELETED);
    return DELETED;
  }
  if ((caller.expiresAt ?? Infinity) > service.clock.now()) return undefined;
  await tryToEndConnection(service, caller.app, connection, TOKEN_EXPIRED);
  return EXPIRED;
}
