import * as v from "valibot";
import { ConfigError, type Environment, withoutEmpty } from "./config.ts";
import {
  type AllowedOrigins,
  type EncryptionKey,
  encryptionKeyEntries,
  encryptionKeyOf,
  everyoneSchema,
} from "./doors.ts";

/** Where applications are kept. */
export type ApplicationsBackend =
  | { readonly store: "memory" }
  | {
      readonly store: "dynamodb";
      /** The table of applications. */
      readonly tableName: string;
    };

/** What the service of applications is configured with. */
export interface ApplicationsConfig {
  readonly backend: ApplicationsBackend;
  readonly allowedOrigins: AllowedOrigins;
  /** Absent where doors are open or no operator's key was given: then there is nobody who may administer. */
  readonly operator?: {
    /** SHA-256 of the operator's key, in hex. */
    readonly keyHash: string;
    /** What the signing keys of applications are encrypted with. */
    readonly encryptionKey: EncryptionKey;
  };
}

const schema = v.object({
  ...everyoneSchema.entries,
  ...encryptionKeyEntries,
  STORE: v.picklist(["memory", "dynamodb"], "must be one of: memory, dynamodb."),
  TABLE_NAME: v.optional(v.string()),
  OPERATOR_KEY_HASH: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/i, "must be the SHA-256 of the operator's key, 64 hexadecimal digits.")),
  ),
});

/** Reads what the service of applications is configured with. Throws a `ConfigError` that names every fault at once. */
export function parseApplicationsConfig(environment: Environment): ApplicationsConfig {
  const set = withoutEmpty(environment);
  // A name that isn't set is there as undefined, so that its own fault is told and not the object's.
  const parsed = v.safeParse(schema, { ...set, STORE: set.STORE });
  const faults = [
    ...(parsed.issues ?? []).map((issue) => `${v.getDotPath(issue)} ${issue.message}`),
    ...findContradictions(set),
  ];
  if (faults.length > 0 || !parsed.success) {
    throw new ConfigError(`The environment is wrong: ${faults.join(" ")} The README lists every name.`);
  }
  const { OPEN, STORE, TABLE_NAME = "", ALLOWED_ORIGINS, OPERATOR_KEY_HASH: keyHash } = parsed.output;
  const hasOperator = OPEN === undefined && keyHash !== undefined;
  return {
    backend: STORE === "memory" ? { store: STORE } : { store: STORE, tableName: TABLE_NAME },
    allowedOrigins: ALLOWED_ORIGINS,
    ...(hasOperator && { operator: { keyHash, encryptionKey: encryptionKeyOf(parsed.output) } }),
  };
}

function findContradictions(set: Environment): string[] {
  const needsKey = set.OPEN !== "yes" && set.OPERATOR_KEY_HASH !== undefined;
  const hasKey = set.ENCRYPTION_KEY !== undefined || set.ENCRYPTION_KEY_PARAMETER !== undefined;
  return [
    ...(set.STORE === "dynamodb" && set.TABLE_NAME === undefined ? ["TABLE_NAME must be set."] : []),
    ...(needsKey && !hasKey ? ["ENCRYPTION_KEY or ENCRYPTION_KEY_PARAMETER must be set, or OPEN=yes."] : []),
  ];
}
