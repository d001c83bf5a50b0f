import { CODES, type ErrorCode } from "@topicast/protocol";
import { type Node, schemaRef } from "../json-schema.ts";
import type { Operation, Success } from "./operation.ts";
import type { SchemaName } from "./schemas.ts";

/** What may become of any request: a page of a foreign origin, a store that is down. */
const ALWAYS: readonly ErrorCode[] = ["forbidden", "unavailable"];
/** And of one that does something: nobody may ask for it, or it's a mistake of ours. */
const WITH_KEY: readonly ErrorCode[] = ["unauthorized", "internal"];
const HEADERS = { "x-request-id": { $ref: "#/components/headers/RequestId" } };

/** Its responses by status; those that refuse it are among {@link problemResponsesOf}. */
export function responsesOf(operation: Operation): Record<string, Node> {
  const problems = problemsOf(operation).map((problem) => [
    problem.status,
    { $ref: `#/components/responses/${nameOf(problem)}` },
  ]);
  return {
    ...Object.fromEntries(operation.successes.map((success) => [success.status, describeSuccess(success)])),
    ...Object.fromEntries(problems),
  };
}

function describeSuccess({ description, schema }: Success): Node {
  const content = schema && { "application/json": { schema: { $ref: schemaRef(schema) } } };
  return { description, headers: HEADERS, ...(content && { content }) };
}

/** Every response that refuses one of the operations, under its name. */
export function problemResponsesOf(operations: readonly Operation[]): Record<string, Node> {
  const problems = operations.flatMap(problemsOf);
  return Object.fromEntries(problems.map((problem) => [nameOf(problem), describe(problem)]));
}

interface Problem {
  readonly status: number;
  readonly codes: readonly ErrorCode[];
  readonly schema: SchemaName;
}

function problemsOf({ security, faults, problem }: Operation): Problem[] {
  const codes = new Set([...faults, ...(security === undefined ? [] : WITH_KEY), ...ALWAYS]);
  const statuses = new Set(inOrder(codes).map((code) => CODES[code].status));
  return [...statuses].map((status) => ({
    status,
    codes: inOrder(codes).filter((code) => CODES[code].status === status),
    schema: problem !== undefined && status === CODES.unavailable.status ? problem : "Problem",
  }));
}

/** In that of the protocol's table. */
function inOrder(codes: ReadonlySet<ErrorCode>): ErrorCode[] {
  return (Object.keys(CODES) as ErrorCode[]).filter((code) => codes.has(code));
}

/** As `BadRequestOrInvalidTopic`. */
function nameOf({ codes, schema }: Problem): string {
  const names = codes.map((code) => `_${code}`.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()));
  return names.join("Or") + (schema === "Problem" ? "" : `As${schema}`);
}

function describe({ status, codes, schema }: Problem): Node {
  const narrowed = { properties: { status: { const: status }, code: { enum: codes } } };
  return {
    description: codes.map((code) => `\`${code}\``).join(" or "),
    headers: { ...HEADERS, ...headersOf(codes) },
    content: { "application/problem+json": { schema: { allOf: [{ $ref: schemaRef(schema) }, narrowed] } } },
  };
}

function headersOf(codes: readonly ErrorCode[]): Node {
  return {
    ...(codes.includes("unauthorized") && { "www-authenticate": { $ref: "#/components/headers/WwwAuthenticate" } }),
    ...((codes.includes("rate_limited") || codes.includes("unavailable")) && {
      "retry-after": { $ref: "#/components/headers/RetryAfter" },
    }),
  };
}
