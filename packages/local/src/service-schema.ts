import * as v from "valibot";
import { isIntrinsic } from "./serverless-yaml.ts";

const NO_AUTHORIZERS = "The local host runs no authorizers and would let everyone in; check the caller in the handler";

/** A string stands for an object with this one field, as osls has it. */
function shorthand<T extends v.GenericSchema>(field: string, schema: T) {
  return v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === "string" ? { [field]: value } : value)),
    schema,
  );
}

const environment = v.pipe(
  v.record(
    v.string(),
    v.union(
      [v.string(), v.number(), v.boolean(), v.custom<object>(isIntrinsic)],
      "Expected text, a number or a boolean",
    ),
  ),
  // What CloudFormation would fill in has no value on this machine.
  v.transform((values) => {
    const known = Object.entries(values).filter(([, value]) => typeof value !== "object");
    return Object.fromEntries(known.map(([name, value]) => [name, String(value)]));
  }),
);

const webSocketEvent = shorthand(
  "route",
  v.object({
    route: v.pipe(v.string(), v.minLength(1)),
    routeResponseSelectionExpression: v.optional(v.literal("$default")),
    authorizer: v.optional(v.never(NO_AUTHORIZERS)),
  }),
);

const HTTP_METHODS = ["GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE", "ANY", "*"];

/** `*`, `GET /path`, `{method, path}`: as a route key of an HTTP API. */
const httpEvent = v.pipe(
  v.unknown(),
  v.transform((value) => {
    if (typeof value !== "string") return value;
    const [method, path = "*"] = value.trim().split(/\s+/);
    return { method, path };
  }),
  v.object({
    method: v.pipe(v.optional(v.string(), "*"), v.toUpperCase(), v.picklist(HTTP_METHODS)),
    path: v.pipe(v.string(), v.regex(/^(\*|\/\S*)$/, 'Expected a path that begins with "/"')),
    authorizer: v.optional(v.never(NO_AUTHORIZERS)),
  }),
  v.transform(({ method, path }) => {
    if (path === "*") return "$default";
    return `${method === "*" ? "ANY" : method} ${path}`;
  }),
);

const queueEvent = shorthand(
  "arn",
  v.object({
    arn: v.unknown(),
    enabled: v.optional(v.boolean(), true),
    batchSize: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 10),
    maximumConcurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(1_000)), 10),
    functionResponseType: v.optional(v.literal("ReportBatchItemFailures")),
  }),
);

/** Events of other kinds (schedules, streams) are no part of a host that serves requests: they never happen here. */
const event = v.pipe(
  v.unknown(),
  v.transform((value) => (typeof value === "string" ? {} : value)),
  v.object({
    websocket: v.optional(webSocketEvent),
    httpApi: v.optional(httpEvent),
    sqs: v.optional(queueEvent),
  }),
);

const timeout = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(900));
const memorySize = v.pipe(v.number(), v.integer(), v.minValue(128), v.maxValue(10_240));

const lambdaFunction = v.object({
  handler: v.pipe(
    v.string(),
    v.regex(/^.+\.[\w$]+$/, "Expected the file's path, a dot and the export, as src/handler.main"),
  ),
  timeout: v.optional(timeout),
  memorySize: v.optional(memorySize),
  environment: v.optional(environment, {}),
  events: v.optional(v.array(event), []),
});

/** The parts of a `serverless.yml` that the host reads, its variables resolved. */
export const serviceSchema = v.object({
  provider: v.object({
    timeout: v.optional(timeout, 6),
    memorySize: v.optional(memorySize, 1_024),
    environment: v.optional(environment, {}),
    websocketsApiRouteSelectionExpression: v.optional(
      v.pipe(v.string(), v.regex(/^\$request\.body(\.[\w-]+)+$/, "Expected $request.body. and a field's name")),
      "$request.body.action",
    ),
  }),
  functions: v.record(v.string(), lambdaFunction),
});

export type FunctionEvent = v.InferOutput<typeof event>;
export type ServiceInput = v.InferOutput<typeof serviceSchema>;
