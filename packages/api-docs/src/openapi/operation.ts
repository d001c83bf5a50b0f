import type { ErrorCode } from "@topicast/protocol";
import type { ParameterName } from "./parameters.ts";
import type { SchemaName } from "./schemas.ts";

/** Whose services' addresses a path begins with. */
export type ServiceName = "message-topic" | "message-broadcast" | "applications";

/** One request of an HTTP API, as it is documented. */
export interface Operation {
  readonly id: string;
  readonly service: ServiceName;
  readonly method: "get" | "post" | "patch" | "delete";
  /** Behind the service's name. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** None: anyone may ask. */
  readonly security?: "applicationKey" | "operatorKey";
  readonly parameters?: readonly ParameterName[];
  readonly body?: Body;
  readonly successes: readonly Success[];
  /** With which codes it is refused; what may happen to any request is added. */
  readonly faults: readonly ErrorCode[];
  /** The schema of its problems, where they have members of their own. */
  readonly problem?: SchemaName;
}

export interface Success {
  readonly status: number;
  readonly description: string;
  /** None: no body. */
  readonly schema?: SchemaName;
}

/** JSON by a schema, or anything at all. */
export type Body = { readonly schema: SchemaName } | { readonly anything: string };
