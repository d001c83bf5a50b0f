import { type JsonObject, ok, type Result, refuse } from "@topicast/protocol";
import type { JWTVerifyGetKey } from "jose";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { JOSEError } from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";

export interface VerifyOptions {
  /** The only one that is taken, whatever the token says. */
  readonly algorithm: string;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** Unix ms. */
  readonly now: number;
}

/**
 * What a genuine JWT says. Whether its `exp` and the like are good is for `token-claims.ts` to tell, who is exact. The fault's message is for the log
 * and holds nothing of the token. Throws what `getKey` throws, unless that is an error of jose's.
 */
export async function verifyJwt(
  token: string,
  getKey: JWTVerifyGetKey,
  options: VerifyOptions,
): Promise<Result<JsonObject>> {
  const { algorithm, issuer, audience, now } = options;
  try {
    const { payload } = await jwtVerify(token, getKey, {
      algorithms: [algorithm],
      currentDate: new Date(now),
      clockTolerance: 60,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    });
    // It was parsed from JSON.
    return ok(payload as JsonObject);
  } catch (error) {
    if (!(error instanceof JOSEError)) throw error;
    return refuse("unauthorized", `${error.code}: ${error.message}`);
  }
}

/** What a token claims of itself, for choosing who checks it and for nothing else; `undefined` where it is no JWT. */
export function claimedSigner(token: string): { readonly alg: unknown; readonly kid: unknown } | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return { alg, kid };
  } catch {
    // Whatever is wrong with it: it is none.
    return undefined;
  }
}
