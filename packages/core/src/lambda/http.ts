import { CODES, type Fault, type Result, refuse } from "@topicast/protocol";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { Caller } from "../access.ts";
import type { AllowedOrigins } from "../doors.ts";
import type { Logger } from "../service.ts";
import { answerPreflight, corsHeaders, findOriginFault } from "./cors.ts";
import { faultOf } from "./faults.ts";

/** A request of the HTTP API. */
export interface HttpRequest {
  /** The route that it matched, such as `POST /topics/{proxy+}`. */
  readonly route: string;
  /** What stood for `{proxy+}`, decoded; empty where the route has none. */
  readonly rest: string;
  /** What stood for the other names in braces, decoded. */
  readonly names: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** A request, and who asks. */
export type HttpCall<Who extends object = Caller> = HttpRequest & Who;

export type HttpResponse = APIGatewayProxyStructuredResultV2;

/** What a route says: a response, or what is wrong, which becomes a problem document. */
export type HttpAnswer =
  | HttpResponse
  | {
      readonly ok: false;
      readonly fault: Fault;
      /** What the document says beside. */
      readonly members?: Readonly<Record<string, unknown>>;
    };

/** Routes by their route keys. Those of `forAnyone` need no key. */
export interface HttpRoutes<Who extends object = Caller> {
  readonly forAnyone?: Readonly<Record<string, (request: HttpRequest) => Promise<HttpAnswer>>>;
  readonly withKey: Readonly<Record<string, (call: HttpCall<Who>) => Promise<HttpAnswer>>>;
}

export interface HttpOptions<Who extends object = Caller> {
  readonly logger: Logger;
  readonly allowedOrigins: AllowedOrigins;
  /** Who asks, by the header `Authorization`. */
  readonly checkKey: (authorization: string | undefined) => Promise<Result<Who>>;
}

/** A Lambda handler for the routes of an HTTP API. */
export function httpHandler<Who extends object>(options: HttpOptions<Who>, routes: HttpRoutes<Who>) {
  const { allowedOrigins } = options;
  return async (event: APIGatewayProxyEventV2): Promise<HttpResponse> => {
    const request = parseHttpEvent(event);
    const { requestId } = event.requestContext;
    const { origin } = request.headers;
    if (request.route.startsWith("OPTIONS ")) return answerPreflight(allowedOrigins, origin);
    const response = await answer(options, routes, request, requestId);
    const headers = { ...response.headers, ...corsHeaders(allowedOrigins, origin), "x-request-id": requestId };
    return { ...response, headers };
  };
}

async function answer<Who extends object>(
  { allowedOrigins, checkKey, logger }: HttpOptions<Who>,
  { forAnyone = {}, withKey }: HttpRoutes<Who>,
  request: HttpRequest,
  requestId: string,
): Promise<HttpResponse> {
  const members = { requestId };
  try {
    const foreign = findOriginFault(allowedOrigins, request.headers.origin);
    if (foreign !== undefined) return problem(foreign, members);
    if (Object.hasOwn(forAnyone, request.route)) return respond(await forAnyone[request.route]?.(request), members);
    const caller = await checkKey(request.headers.authorization);
    if (!caller.ok) return problem(caller.fault, members);
    const route = Object.hasOwn(withKey, request.route) ? withKey[request.route] : undefined;
    return respond(await route?.({ ...request, ...caller.value }), members);
  } catch (error) {
    return problem(faultOf(error, logger), members);
  }
}

function respond(answered: HttpAnswer = NOT_FOUND, members: Record<string, unknown>): HttpResponse {
  return "ok" in answered ? problem(answered.fault, { ...answered.members, ...members }) : answered;
}

function parseHttpEvent(event: APIGatewayProxyEventV2): HttpRequest {
  const { body = "", isBase64Encoded } = event;
  // serverless-offline says null where API Gateway says nothing.
  const pathParameters = event.pathParameters ?? {};
  return {
    route: event.routeKey,
    rest: pathParameters.proxy ?? "",
    names: pathParameters,
    query: event.queryStringParameters ?? {},
    headers: event.headers,
    body: isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body,
  };
}

/** After which who met something unavailable may try again. */
const UNAVAILABLE_MS = 1_000;

export function json(status: number, value: unknown): HttpResponse {
  return jsonText(status, JSON.stringify(value));
}

export function jsonText(status: number, body: string): HttpResponse {
  return { statusCode: status, headers: { "content-type": "application/json" }, body };
}

/** A problem document (RFC 9457). `members` are added to it. */
export function problem(fault: Fault, members: Record<string, unknown> = {}): HttpResponse {
  const { code, message, ...extent } = fault;
  const { status, title } = CODES[code];
  const retryAfter = extent.retryAfter ?? (status === 503 ? UNAVAILABLE_MS : undefined);
  return {
    statusCode: status,
    headers: {
      "content-type": "application/problem+json",
      ...(retryAfter !== undefined && { "retry-after": String(Math.ceil(retryAfter / 1_000)) }),
      ...(status === 401 && { "www-authenticate": "Bearer" }),
    },
    body: JSON.stringify({ type: "about:blank", title, status, detail: message, code, ...extent, ...members }),
  };
}

/** What a path leads to where it leads to nothing. */
export const NOT_FOUND = refuse("not_found", "There is nothing at this path. docs/http.md lists what there is.");
