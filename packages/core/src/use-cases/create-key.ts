import { randomBytes } from "node:crypto";
import { ok, type Result, refuse, type TopicPattern } from "@topicast/protocol";
import type { Right } from "../access.ts";
import {
  createSecret,
  formatApplicationKey,
  hashSecret,
  type KeyParts,
  type Sealer,
  signingKeyOf,
} from "../application-key.ts";
import type { Clock } from "../clock.ts";
import type { ApplicationKey, AppStore } from "../ports/app-store.ts";

/** Keys that an application may have at once: two while they are changed, and some for backends of their own. */
export const MAX_KEYS = 10;

export interface KeyService {
  readonly apps: AppStore;
  readonly clock: Pick<Clock, "now">;
  /** Throws `UnavailableError`. */
  readonly sealer: () => Promise<Sealer>;
}

/** What a key opens: each of `topics` with all of `rights`. */
export interface KeyInput {
  readonly topics: readonly TopicPattern[];
  readonly rights: readonly Right[];
  /** Unix ms. */
  readonly expiresAt?: number;
}

export interface CreatedKey {
  readonly key: ApplicationKey;
  /** The whole of it, `{app}.{keyId}:{secret}`: nobody can say it again. */
  readonly text: string;
}

/** Gives an application a further key. Expired ones make room for it. Throws `UnavailableError`. */
export async function addKey(service: KeyService, app: string, input: KeyInput): Promise<Result<CreatedKey>> {
  const created = await createKey(service, app, input);
  const add = () => service.apps.addKey(app, created.key, MAX_KEYS);
  const first = await add();
  const outcome = first === "too_many_keys" && (await removeExpired(service, app)) ? await add() : first;
  if (outcome === "added") return ok(created);
  if (outcome === "unknown_application") return refuse("not_found", "There is no such application.");
  return refuse("bad_request", `An application has at most ${MAX_KEYS} keys; delete one that nobody uses.`, MAX_KEYS);
}

/** One that no application has yet; `given` where somebody chose it. */
export async function createKey(
  { clock, sealer }: Pick<KeyService, "clock" | "sealer">,
  app: string,
  { topics, rights, expiresAt }: KeyInput,
  given: Pick<KeyParts, "keyId" | "secret"> = { keyId: createKeyId(), secret: createSecret() },
): Promise<CreatedKey> {
  const { keyId, secret } = given;
  const key: ApplicationKey = {
    id: keyId,
    secretHash: hashSecret(secret),
    sealedSigningKey: (await sealer()).seal({ app, keyId }, signingKeyOf(secret)),
    grants: topics.map((pattern) => ({ topics: pattern, rights })),
    createdAt: clock.now(),
    ...(expiresAt !== undefined && { expiresAt }),
  };
  return { key, text: formatApplicationKey({ app, keyId, secret }) };
}

/** Of ten that an application has, no two are ever the same. */
function createKeyId(): string {
  return `k${randomBytes(5).toString("hex")}`;
}

/** Whether there were any. */
async function removeExpired({ apps, clock }: KeyService, app: string): Promise<boolean> {
  const keys = (await apps.get(app))?.keys ?? [];
  const expired = keys.filter(({ expiresAt = Infinity }) => expiresAt <= clock.now());
  await Promise.all(expired.map(({ id }) => apps.removeKey(app, id)));
  return expired.length > 0;
}
