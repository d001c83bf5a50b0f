import { timingSafeEqual } from "node:crypto";
import { ok, type Result, refuse } from "@topicast/protocol";
import { type Caller, EVERYTHING } from "../access.ts";
import { hashSecret, parseApplicationKey } from "../application-key.ts";
import { type Applications, findKey } from "../applications.ts";
import type { Clock } from "../clock.ts";
import { DEFAULT_APP } from "../model.ts";

/** Who asks, by the header `Authorization`. Throws `UnavailableError`. */
export type KeyCheck = (authorization: string | undefined) => Promise<Result<Caller>>;

/** No longer header is looked at. */
export const MAX_HEADER_LENGTH = 256;

const MISSING = refuse("unauthorized", "Give an application's key in the header `Authorization: Bearer <key>`.");
/** The same whatever is wrong, so that nobody learns which applications and keys there are. */
const WRONG = refuse("unauthorized", "This key is not valid.");

/** Where doors are open. */
export const everyone: KeyCheck = async () => ok({ app: DEFAULT_APP, access: EVERYTHING });

/** The text behind `Bearer`; `undefined` where there is none. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
}

export function createKeyCheck({
  applications,
  clock,
}: {
  readonly applications: Applications;
  readonly clock: Pick<Clock, "now">;
}): KeyCheck {
  return async (authorization) => {
    if (authorization === undefined) return MISSING;
    if (authorization.length > MAX_HEADER_LENGTH) return WRONG;
    const parts = parseApplicationKey(bearerOf(authorization) ?? "");
    if (parts === undefined) return WRONG;
    const { app, keyId, secret } = parts;
    const hash = hashSecret(secret);
    const now = clock.now();
    const application = await applications.findByName(app, (found) => findKey(found, keyId, now) !== undefined);
    const key = application && findKey(application, keyId, now);
    if (application === undefined || key === undefined || !isSame(key.secretHash, hash)) return WRONG;
    return ok({ app: application.id, access: [key.grants] });
  };
}

/** In a time that doesn't depend on where they differ. Both are in hex. */
export function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected, "hex"), Buffer.from(given, "hex")];
  return a.length === b.length && timingSafeEqual(a, b);
}
