import * as v from "valibot";
import { keyPrefixSchema } from "./redis-settings.ts";

/** Where the key is that signing keys are encrypted with: here, or in an SSM parameter of this name. */
export type EncryptionKey = { readonly value: string } | { readonly parameter: string };

const JWKS_ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;

/** Tokens that are signed with a key of a JWKS address; they are for the application `default`. */
export interface JwksConfig {
  readonly url: string;
  readonly algorithm: (typeof JWKS_ALGORITHMS)[number];
  readonly issuer?: string;
  readonly audience?: string;
}

/** Who has a token or a key comes in. */
export interface ClosedDoors {
  readonly open: false;
  /** The table of applications; absent where they aren't in DynamoDB. */
  readonly applicationsTable?: string;
  /** The prefix of the applications' keys; absent where they aren't in Redis. */
  readonly applicationsPrefix?: string;
  readonly encryptionKey: EncryptionKey;
  readonly jwks?: JwksConfig;
  /** Asked about each token instead of checking it here. */
  readonly authUrl?: string;
}

export type Doors = { readonly open: true } | ClosedDoors;

/** `*`, or those of pages that may connect and ask over HTTP, such as `https://example.com`. */
export type AllowedOrigins = "*" | readonly string[];

type Environment = Readonly<Record<string, string | undefined>>;

/** Who may come in, or what is wrong with what the environment says of it. An empty variable must not be in it. */
export function parseDoors(
  environment: Environment,
): { readonly doors: Doors; readonly allowedOrigins: AllowedOrigins } | { readonly faults: readonly string[] } {
  const everyone = v.safeParse(everyoneSchema, environment);
  const isOpen = environment.OPEN === "yes";
  const closed = isOpen ? undefined : v.safeParse(closedSchema, environment);
  const faults = [...(everyone.issues ?? []), ...(closed?.issues ?? [])].map(
    (issue) => `${v.getDotPath(issue)} ${issue.message}`,
  );
  if (!isOpen) faults.push(...findContradictions(environment));
  if (faults.length > 0 || !everyone.success) return { faults };
  const doors: Doors = closed?.success ? closedDoors(closed.output) : { open: true };
  return { doors, allowedOrigins: everyone.output.ALLOWED_ORIGINS };
}

/** Of every service. */
export const everyoneSchema = v.object({
  OPEN: v.optional(v.literal("yes", 'must be "yes" or not set.')),
  ALLOWED_ORIGINS: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => (text === "*" ? "*" : text.split(",").map((origin) => origin.trim()))),
      v.check(
        (origins) => origins === "*" || origins.every(isOrigin),
        "must be * or origins such as https://example.com, divided by commas.",
      ),
    ),
    "*",
  ),
});

const url = v.pipe(v.string(), v.url("must be a URL."));
/** Below this it could be guessed. */
const MIN_KEY_LENGTH = 32;

export const encryptionKeyEntries = {
  ENCRYPTION_KEY: v.optional(
    v.pipe(v.string(), v.minLength(MIN_KEY_LENGTH, `must have at least ${MIN_KEY_LENGTH} characters.`)),
  ),
  ENCRYPTION_KEY_PARAMETER: v.optional(v.string()),
};

const closedSchema = v.object({
  ...encryptionKeyEntries,
  APPLICATIONS_TABLE_NAME: v.optional(v.string()),
  APPLICATIONS_REDIS_PREFIX: v.optional(keyPrefixSchema),
  JWKS_URL: v.optional(url),
  JWKS_ALGORITHM: v.optional(v.picklist(JWKS_ALGORITHMS, `must be one of: ${JWKS_ALGORITHMS.join(", ")}.`)),
  JWKS_ISSUER: v.optional(v.string()),
  JWKS_AUDIENCE: v.optional(v.string()),
  AUTH_URL: v.optional(url),
});

function findContradictions(set: Environment): string[] {
  return [
    ...(set.STORE?.includes("dynamodb") && set.APPLICATIONS_TABLE_NAME === undefined
      ? ["APPLICATIONS_TABLE_NAME must be set."]
      : []),
    ...(set.STORE?.includes("redis") && set.APPLICATIONS_REDIS_PREFIX === undefined
      ? ["APPLICATIONS_REDIS_PREFIX must be set."]
      : []),
    ...(set.ENCRYPTION_KEY === undefined && set.ENCRYPTION_KEY_PARAMETER === undefined
      ? ["ENCRYPTION_KEY or ENCRYPTION_KEY_PARAMETER must be set, or OPEN=yes."]
      : []),
    ...(set.JWKS_URL !== undefined && set.JWKS_ALGORITHM === undefined
      ? ["JWKS_ALGORITHM must say which algorithm the keys at JWKS_URL are for."]
      : []),
    ...(set.JWKS_URL !== undefined && set.AUTH_URL !== undefined ? ["AUTH_URL and JWKS_URL exclude each other."] : []),
  ];
}

function closedDoors(set: v.InferOutput<typeof closedSchema>): ClosedDoors {
  const { JWKS_URL, JWKS_ALGORITHM, JWKS_ISSUER, JWKS_AUDIENCE } = set;
  return {
    open: false,
    encryptionKey: encryptionKeyOf(set),
    ...(set.APPLICATIONS_TABLE_NAME !== undefined && { applicationsTable: set.APPLICATIONS_TABLE_NAME }),
    ...(set.APPLICATIONS_REDIS_PREFIX !== undefined && { applicationsPrefix: set.APPLICATIONS_REDIS_PREFIX }),
    ...(JWKS_URL !== undefined &&
      JWKS_ALGORITHM !== undefined && {
        jwks: {
          url: JWKS_URL,
          algorithm: JWKS_ALGORITHM,
          ...(JWKS_ISSUER !== undefined && { issuer: JWKS_ISSUER }),
          ...(JWKS_AUDIENCE !== undefined && { audience: JWKS_AUDIENCE }),
        },
      }),
    ...(set.AUTH_URL !== undefined && { authUrl: set.AUTH_URL }),
  };
}

/** The key itself comes before the name of a parameter; one of them is there. */
export function encryptionKeyOf(set: {
  readonly ENCRYPTION_KEY?: string | undefined;
  readonly ENCRYPTION_KEY_PARAMETER?: string | undefined;
}): EncryptionKey {
  return set.ENCRYPTION_KEY === undefined
    ? { parameter: set.ENCRYPTION_KEY_PARAMETER ?? "" }
    : { value: set.ENCRYPTION_KEY };
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
