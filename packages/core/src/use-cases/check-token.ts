import { ok, type Result, refuse, utf8Length } from "@topicast/protocol";
import { type Access, type Caller, EVERYTHING } from "../access.ts";
import type { Applications } from "../applications.ts";
import type { Clock } from "../clock.ts";
import { DEFAULT_APP } from "../model.ts";
import type { Knock, TokenAuthority, Vouched } from "../ports/token-authority.ts";
import type { Logger } from "../service.ts";
import { parseClaims } from "../token-claims.ts";

/** Who a client is and what it may do. Throws `UnavailableError`. */
export type TokenCheck = (knock: Knock) => Promise<Result<Caller>>;

/** Where doors are open, whatever token is given. */
export const anyone: TokenCheck = async () => ok({ app: DEFAULT_APP, access: EVERYTHING });

export const MAX_TOKEN_BYTES = 4 * 1024;
/** Of what a client may do, as JSON. API Gateway hands it on with each of the client's messages, and takes some 8 KB in all. */
export const MAX_ACCESS_BYTES = 6 * 1024;

const MISSING = refuse(
  "unauthorized",
  "Give a token: as `Authorization: Bearer`, `?token=` or the subprotocols `bearer, <token>`.",
);
/** The same whatever is wrong, so that nobody learns which applications and keys there are. The log says more. */
const WRONG = refuse("unauthorized", "This token is not valid.");

export interface TokenCheckOptions {
  readonly applications: Applications;
  readonly clock: Pick<Clock, "now">;
  /** Told why a token is refused. */
  readonly logger: Pick<Logger, "warn">;
  /** Asked in turn, until one says that a token is its own. */
  readonly authorities: readonly TokenAuthority[];
}

export function createTokenCheck(options: TokenCheckOptions): TokenCheck {
  return async (knock) => {
    const { token } = knock;
    if (token === undefined || token === "") return MISSING;
    const caller = await callerOf(options, { ...knock, token });
    if (caller.ok) return caller;
    options.logger.warn("A token was refused.", { reason: caller.fault.message, service: knock.service });
    return WRONG;
  };
}

/** The faults are for the log. */
async function callerOf(
  options: TokenCheckOptions,
  knock: Knock & { readonly token: string },
): Promise<Result<Caller>> {
  if (utf8Length(knock.token) > MAX_TOKEN_BYTES) return fault(`It is longer than ${MAX_TOKEN_BYTES} bytes.`);
  const vouched = await vouch(options, knock);
  if (!vouched.ok) return vouched;
  const now = options.clock.now();
  const claims = parseClaims(vouched.value.claims, now);
  if (!claims.ok) return claims;
  const { signer } = vouched.value;
  const application = signer?.application ?? (await options.applications.findByName(DEFAULT_APP));
  if (application === undefined) return fault(`It is for the application ${DEFAULT_APP}, which there isn't.`);
  const { user, cap, expiresAt } = claims.value;
  const access: Access = signer === undefined ? [cap] : [cap, signer.grants];
  if (utf8Length(JSON.stringify(access)) > MAX_ACCESS_BYTES)
    return fault("Its `cap`, with what its key may do, is too large.");
  // Not the key's own end: it stops new tokens from being taken, and those who came in before stay as long as their token says.
  const end = Math.min(expiresAt, application.expiresAt ?? Infinity);
  return ok({ app: application.id, access, user, expiresAt: end });
}

async function vouch(
  { authorities }: TokenCheckOptions,
  knock: Knock & { readonly token: string },
): Promise<Result<Vouched>> {
  for (const authority of authorities) {
    const vouched = await authority(knock);
    if (vouched !== undefined) return vouched;
  }
  return fault("It is no JWT that was signed with an application's key: HS256, and `kid` the key's name.");
}

function fault(message: string) {
  return refuse("unauthorized", message);
}
