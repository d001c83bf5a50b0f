import * as v from "valibot";
import {
  ConfigError,
  type Environment,
  faultsOf,
  type MovingStore,
  pickEntries,
  storeSchema,
  withoutEmpty,
} from "./config.ts";
import {
  type AllowedOrigins,
  type EncryptionKey,
  encryptionKeyEntries,
  encryptionKeyOf,
  everyoneSchema,
} from "./doors.ts";
import { type RedisSettings, redisEntries, redisSettings } from "./redis-settings.ts";

/** Where applications are kept. */
export type ApplicationsBackend =
  | { readonly store: "memory" }
  | {
      readonly store: "dynamodb";
      /** The table of applications. */
      readonly tableName: string;
    }
  | {
      readonly store: "redis";
      /** Those of applications: all services of a stage have the same. */
      readonly redis: RedisSettings;
    }
  | { readonly store: MovingStore; readonly tableName: string; readonly redis: RedisSettings };

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

const tableEntries = { TABLE_NAME: v.string("must be set.") };
const backendSchemas = {
  memory: v.pipe(
    v.object({}),
    v.transform((): ApplicationsBackend => ({ store: "memory" })),
  ),
  dynamodb: v.pipe(
    v.object(tableEntries),
    v.transform((set): ApplicationsBackend => ({ store: "dynamodb", tableName: set.TABLE_NAME })),
  ),
  redis: v.pipe(
    v.object(redisEntries),
    v.transform((set): ApplicationsBackend => ({ store: "redis", redis: redisSettings(set) })),
  ),
  "dynamodb+redis": movingBackend("dynamodb+redis"),
  "redis+dynamodb": movingBackend("redis+dynamodb"),
};

function movingBackend(store: MovingStore) {
  return v.pipe(
    v.object({ ...tableEntries, ...redisEntries }),
    v.transform((set): ApplicationsBackend => ({ store, tableName: set.TABLE_NAME, redis: redisSettings(set) })),
  );
}

const schema = v.object({
  ...everyoneSchema.entries,
  ...encryptionKeyEntries,
  OPERATOR_KEY_HASH: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/i, "must be the SHA-256 of the operator's key, 64 hexadecimal digits.")),
  ),
});

/** Reads what the service of applications is configured with. Throws a `ConfigError` that names every fault at once. */
export function parseApplicationsConfig(environment: Environment): ApplicationsConfig {
  const set = withoutEmpty(environment);
  const parsed = v.safeParse(schema, set);
  const store = v.safeParse(storeSchema, pickEntries(storeSchema, set));
  const backendSchema = backendSchemas[store.success ? store.output.STORE : "memory"];
  const backend = v.safeParse(backendSchema, pickEntries(backendSchema, set));
  const faults = [...faultsOf([store, backend, parsed]), ...findContradictions(set)];
  if (faults.length > 0 || !parsed.success || !backend.success) {
    throw new ConfigError(`The environment is wrong: ${faults.join(" ")} The README lists every name.`);
  }
  const { OPEN, ALLOWED_ORIGINS, OPERATOR_KEY_HASH: keyHash } = parsed.output;
  const hasOperator = OPEN === undefined && keyHash !== undefined;
  return {
    backend: backend.output,
    allowedOrigins: ALLOWED_ORIGINS,
    ...(hasOperator && { operator: { keyHash, encryptionKey: encryptionKeyOf(parsed.output) } }),
  };
}

function findContradictions(set: Environment): string[] {
  const needsKey = set.OPEN !== "yes" && set.OPERATOR_KEY_HASH !== undefined;
  const hasKey = set.ENCRYPTION_KEY !== undefined || set.ENCRYPTION_KEY_PARAMETER !== undefined;
  return [...(needsKey && !hasKey ? ["ENCRYPTION_KEY or ENCRYPTION_KEY_PARAMETER must be set, or OPEN=yes."] : [])];
}
