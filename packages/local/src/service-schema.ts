import * as v from "valibot";
import { parseReference, type ResourceReference } from "./resource-reference.ts";
import { isIntrinsic } from "./serverless-yaml.ts";
import { resourcesSchema } from "./service-resources.ts";

const NO_AUTHORIZERS =
  "The local host runs no authorizers of HTTP APIs and would let everyone in; check the caller in the handler";

/** A string stands for an object with this one field, as osls has it. */
function shorthand<T extends v.GenericSchema>(field: string, schema: T) {
  return v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === "string" ? { [field]: value } : value)),
    schema,
  );
}

/** What comes out of a variable is text; osls takes it as a number too. */
function wholeNumber(min: number, max: number) {
  const text = v.pipe(v.string(), v.regex(/^\d+$/, "Expected a whole number"), v.transform(Number));
  return v.pipe(v.union([v.number(), text]), v.integer(), v.minValue(min), v.maxValue(max));
}

/** `{{resolve:ssm:/name}}`, which CloudFormation fills in from a parameter or secret. */
const DYNAMIC_REFERENCE = /^\{\{resolve:[^}]*\}\}$/;

const environment = v.pipe(
  v.record(
    v.string(),
    v.union(
      [v.string(), v.number(), v.boolean(), v.custom<object>(isIntrinsic)],
      "Expected text, a number or a boolean",
    ),
  ),
  // Of what CloudFormation would fill in, only references to resources may have a value on this machine.
  v.transform((values) => {
    const known = Object.entries(values).flatMap(([name, value]): [string, string | ResourceReference][] => {
      if (typeof value === "string" && DYNAMIC_REFERENCE.test(value)) return [];
      if (typeof value !== "object") return [[name, String(value)]];
      const reference = parseReference(value);
      return reference === undefined ? [] : [[name, reference]];
    });
    return Object.fromEntries(known);
  }),
);

const identitySource = v.pipe(
  v.string(),
  v.regex(
    /^route\.request\.(header|querystring)\.[\w-]+$/,
    "Expected route.request.header. or route.request.querystring. and a name",
  ),
);

const webSocketEvent = shorthand(
  "route",
  v.object({
    route: v.pipe(v.string(), v.minLength(1)),
    routeResponseSelectionExpression: v.optional(v.literal("$default")),
    authorizer: v.optional(
      shorthand(
        "name",
        v.object({
          name: v.string("Expected the name of a function of this service"),
          // What osls takes where nothing is said.
          identitySource: v.optional(v.array(identitySource), ["route.request.header.Auth"]),
        }),
      ),
    ),
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
    arn: v.pipe(
      v.unknown(),
      v.transform((arn) => parseReference(arn)?.logicalId),
    ),
    enabled: v.optional(v.boolean(), true),
    batchSize: v.optional(wholeNumber(1, 10_000), 10),
    maximumConcurrency: v.optional(wholeNumber(2, 1_000), 10),
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

const timeout = wholeNumber(1, 900);
const memorySize = wholeNumber(128, 10_240);

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
  resources: resourcesSchema,
});

export type FunctionEvent = v.InferOutput<typeof event>;
export type ServiceInput = v.InferOutput<typeof serviceSchema>;
