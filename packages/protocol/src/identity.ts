import { ok, type Result, refuse } from "./codes.ts";

/** The secret that a client makes up once and gives as `?client=`, so that its identity survives a reconnect. */
export const CLIENT_SECRET = /^[A-Za-z0-9_-]{16,64}$/;

/** Checks `?client=`. Never throws. */
export function parseClientSecret(secret: string): Result<string> {
  if (CLIENT_SECRET.test(secret)) return ok(secret);
  return refuse(
    "bad_request",
    "`client` must be 16 to 64 characters of A–Z a–z 0–9 _ -, made up at random and kept secret.",
  );
}
