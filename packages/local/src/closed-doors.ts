import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type AppStore, createSecret, hashSecret, parseApplicationKey } from "@topicast/core";
import type { Environment } from "./backend.ts";
import { type Credentials, createCredentials, deriveCredentials } from "./credentials.ts";
import { StartError } from "./start-error.ts";

/** Keys that a host is to take, instead of fresh ones, so that a restart leaves those who use them working. */
export interface GivenKeys {
  /** Of the application `default`: `default.{keyId}:{secret}`. */
  readonly application?: string | undefined;
  /** At least 32 characters. */
  readonly operator?: string | undefined;
}

/** What opens a host's doors. */
export interface HostKeys {
  /** Of the application `default`, with all rights. */
  readonly application: string;
  /** For the service `applications`. */
  readonly operator: string;
}

/** A host whose clients need tokens, whose backends need keys, and whose `@connections` needs signatures. */
export interface ClosedDoors {
  readonly operator: string;
  /** The application's key, where one is given. */
  readonly application?: string;
  /** What `@connections` takes signatures of; the functions have them. */
  readonly credentials: Credentials;
  /** The same for hosts whose keys are the same, and only for them; absent where some of its keys are its own. */
  readonly shared?: string;
  /** For the functions of a service, over all else. */
  environmentOf(service: string): Environment;
}

/** The service that keeps the applications. A host with closed doors serves it though nobody named it. */
export const APPLICATIONS = "applications";
export const APPLICATIONS_FOLDER = fileURLToPath(new URL("../../../services/applications", import.meta.url));

const DEFAULT_APPLICATION = "default";
const OPERATOR_KEY = /^[\w-]{32,128}$/;

/** Throws a {@link StartError}, which repeats no key, where one that is given has the wrong form. */
export function closeDoors(given: GivenKeys, environment: Environment): ClosedDoors {
  // An environment name that is empty counts as not set.
  const application = given.application || undefined;
  const operator = given.operator || createSecret();
  if (application !== undefined && parseApplicationKey(application)?.app !== DEFAULT_APPLICATION) {
    throw new StartError(
      `TOPICAST_KEY is no key of the application "${DEFAULT_APPLICATION}": it reads ${DEFAULT_APPLICATION}.{keyId}:{secret}, with 1 to 16 lower-case letters and digits, and 32 to 128 letters, digits, - and _`,
    );
  }
  if (!OPERATOR_KEY.test(operator)) {
    throw new StartError("TOPICAST_OPERATOR_KEY is no key: it has 32 to 128 letters, digits, - and _");
  }
  const { ENCRYPTION_KEY: encryptionKey } = environment;
  const forAll = { OPEN: "", ENCRYPTION_KEY: encryptionKey || randomBytes(32).toString("base64url") };
  const isShared = Boolean(application && given.operator && encryptionKey);
  return {
    operator,
    ...(application !== undefined && { application }),
    credentials: encryptionKey ? deriveCredentials(encryptionKey) : createCredentials(),
    ...(isShared && { shared: fingerprintOf([application, operator, encryptionKey]) }),
    environmentOf: (service) =>
      service === APPLICATIONS ? { ...forAll, OPERATOR_KEY_HASH: hashSecret(operator) } : forAll,
  };
}

/** Each key has 32 characters or more, so that nobody finds it by trying. */
function fingerprintOf(keys: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(keys)).digest("base64url");
}

/**
 * Creates the application `default`, as an operator would, on a host that listens at `url`, or finds it there with the key that is given. Resolves with its
 * key; throws a {@link StartError} where it is refused.
 */
export async function createDefaultApplication(
  url: string,
  { operator, application }: ClosedDoors,
  apps: Pick<AppStore, "get"> | undefined,
): Promise<string> {
  const response = await fetch(`${url}/${APPLICATIONS}/apps`, {
    method: "POST",
    headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
    body: JSON.stringify({ app: DEFAULT_APPLICATION, key: application }),
  });
  const { key, detail } = (await response.json()) as { readonly key?: string; readonly detail?: string };
  if (response.status === 201 && key !== undefined) return key;
  // Another host on the same store was first, or this one before it was restarted.
  if (application !== undefined && (await hasKey(apps, application))) return application;
  throw new StartError(
    `The application "${DEFAULT_APPLICATION}" can't be created: ${response.status} ${detail ?? response.statusText}`,
  );
}

async function hasKey(apps: Pick<AppStore, "get"> | undefined, text: string): Promise<boolean> {
  const parts = parseApplicationKey(text);
  const found = await apps?.get(DEFAULT_APPLICATION);
  return (
    found?.keys.some(({ id, secretHash }) => id === parts?.keyId && secretHash === hashSecret(parts.secret)) ?? false
  );
}
