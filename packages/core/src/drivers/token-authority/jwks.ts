import { ok } from "@topicast/protocol";
import type { JWTVerifyGetKey } from "jose";
import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey } from "jose/errors";
import { createRemoteJWKSet, customFetch } from "jose/jwks/remote";
import type { Clock } from "../../clock.ts";
import type { JwksConfig } from "../../doors.ts";
import { UnavailableError } from "../../errors.ts";
import type { TokenAuthority } from "../../ports/token-authority.ts";
import { verifyJwt } from "../../verify-jwt.ts";
import { readBounded } from "../bounded-response.ts";

const TIMEOUT_MS = 2_000;
const MAX_BYTES = 256 * 1024;
/** How long a key that was taken out of the set may still be good. */
const CACHE_MS = 10 * 60_000;
/** A key that isn't known is looked for at most so often: anyone can make up its name. */
const COOLDOWN_MS = 30_000;

export interface JwksOptions extends JwksConfig {
  readonly clock: Pick<Clock, "now">;
  readonly timeoutMs?: number;
  readonly cooldownMs?: number;
}

/** Knows the tokens that are signed with a key of a JWKS address. What the set's own algorithm isn't is refused, whatever a token says. */
export function createJwks({ url, algorithm, issuer, audience, clock, ...times }: JwksOptions): TokenAuthority {
  const { timeoutMs = TIMEOUT_MS, cooldownMs = COOLDOWN_MS } = times;
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: CACHE_MS,
    [customFetch]: fetchBounded,
  });
  const getKey: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (error instanceof JWKSNoMatchingKey || error instanceof JWKSMultipleMatchingKeys) throw error;
      throw new UnavailableError("key source", "JWKS_URL gave no set of keys in time.", { cause: error });
    }
  };
  return async ({ token }) => {
    const claims = await verifyJwt(token, getKey, { algorithm, issuer, audience, now: clock.now() });
    return claims.ok ? ok({ claims: claims.value }) : claims;
  };
}

async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  const { status } = response;
  if (status !== 200) {
    await response.body?.cancel();
    return new Response(null, { status: status });
  }
  const text = await readBounded(response, MAX_BYTES);
  if (text === undefined) throw new Error(`The set of keys is longer than ${MAX_BYTES} bytes.`);
  return new Response(text);
}
