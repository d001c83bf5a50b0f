import { ok, refuse } from "@topicast/protocol";
import { type KeyName, parseKeyName, type Sealer } from "../application-key.ts";
import { type Applications, findKey } from "../applications.ts";
import type { Clock } from "../clock.ts";
import type { TokenAuthority } from "../ports/token-authority.ts";
import { claimedSigner, verifyJwt } from "../verify-jwt.ts";

export interface ApplicationAuthorityOptions {
  readonly applications: Applications;
  readonly clock: Pick<Clock, "now">;
  /** Throws `UnavailableError`. */
  readonly sealer: () => Promise<Sealer>;
}

const ALGORITHM = "HS256";

/** Knows the tokens that are signed with applications' keys: HS256, and `kid` names the key. */
export function createApplicationAuthority({
  applications,
  clock,
  sealer,
}: ApplicationAuthorityOptions): TokenAuthority {
  return async ({ token }) => {
    const name = signerOf(token);
    if (name === undefined) return undefined;
    const { app, keyId } = name;
    const now = clock.now();
    const application = await applications.findByName(app, (found) => findKey(found, keyId, now) !== undefined);
    const key = application && findKey(application, keyId, now);
    if (application === undefined || key === undefined) return fault(name, "There is no such key, or it has expired.");
    const signingKey = openSigningKey(await sealer(), name, key.sealedSigningKey);
    if (signingKey === undefined) return fault(name, "Its signing key was encrypted with another encryption key.");
    const claims = await verifyJwt(token, async () => signingKey, { algorithm: ALGORITHM, now });
    if (!claims.ok) return fault(name, claims.fault.message);
    return ok({ claims: claims.value, signer: { application, grants: key.grants } });
  };
}

/** Only HS256 may go where secrets are, and nothing that says HS256 goes where public keys are. */
function signerOf(token: string): KeyName | undefined {
  const signer = claimedSigner(token);
  return signer?.alg === ALGORITHM && typeof signer.kid === "string" ? parseKeyName(signer.kid) : undefined;
}

function openSigningKey(sealer: Sealer, name: KeyName, sealed: string): Uint8Array | undefined {
  try {
    return new TextEncoder().encode(sealer.open(name, sealed));
  } catch {
    // The cipher says no more than that it doesn't fit.
    return undefined;
  }
}

/** For the log: the name of a key is no secret. */
function fault({ app, keyId }: KeyName, reason: string) {
  return refuse("unauthorized", `Key ${app}.${keyId}: ${reason}`);
}
