import { type JsonObject, ok, type Result, refuse } from "@topicast/protocol";
import { SignJWT } from "jose/jwt/sign";
import { parseApplicationKey, signingKeyOf } from "./application-key.ts";
import { type Clock, systemClock } from "./clock.ts";
import { parseClaims } from "./token-claims.ts";

export interface TokenRequest {
  /** A whole application key: `{app}.{keyId}:{secret}`. */
  readonly key: string;
  /** Whom the token is for. */
  readonly sub: string;
  /** From topic patterns to operations; without it the token may do nothing. */
  readonly cap?: JsonObject;
  /** The token ends with the second that this falls into. */
  readonly lifetimeMs: number;
  readonly clock?: Pick<Clock, "now">;
}

/** Makes a connection token (a JWT, HS256). A fault names what is wrong with the request; none holds the key. */
export async function mintToken({
  key,
  sub,
  cap,
  lifetimeMs,
  clock = systemClock,
}: TokenRequest): Promise<Result<string>> {
  const parts = parseApplicationKey(key);
  if (parts === undefined) return refuse("bad_request", "The key must read {app}.{keyId}:{secret}.");
  const now = clock.now();
  const iat = Math.floor(now / 1_000);
  const claims = { sub, ...(cap !== undefined && { cap }), iat, exp: Math.floor((now + lifetimeMs) / 1_000) };
  const checked = parseClaims(claims, now);
  if (!checked.ok) return refuse("bad_request", checked.fault.message);
  const kid = `${parts.app}.${parts.keyId}`;
  const secret = new TextEncoder().encode(signingKeyOf(parts.secret));
  return ok(await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid, typ: "JWT" }).sign(secret));
}
