import { CODES, type Fault } from "@topicast/protocol";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type AppId, DEFAULT_APP } from "../model.ts";
import type { Logger } from "../service.ts";
import { faultOf } from "./faults.ts";

/** A request of the HTTP API. */
export interface HttpCall {
  readonly app: AppId;
  /** The route that it matched, such as `POST /topics/{proxy+}`. */
  readonly route: string;
  /** What stood for `{proxy+}`, decoded; empty where the route has none. */
  readonly rest: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export type HttpResponse = APIGatewayProxyStructuredResultV2;
export type HttpRoute = (call: HttpCall) => Promise<HttpResponse>;

/** A Lambda handler for the routes of an HTTP API, by their route keys. */
export function httpHandler(logger: Logger, routes: Readonly<Record<string, HttpRoute>>) {
  return async (event: APIGatewayProxyEventV2): Promise<HttpResponse> => {
    const call = parseHttpEvent(event);
    try {
      const route = Object.hasOwn(routes, call.route) ? routes[call.route] : undefined;
      return (await route?.(call)) ?? problem(notFound());
    } catch (error) {
      return problem(faultOf(error, logger));
    }
  };
}

function parseHttpEvent(event: APIGatewayProxyEventV2): HttpCall {
  const { body = "", isBase64Encoded } = event;
  return {
    app: DEFAULT_APP,
    route: event.routeKey,
    rest: event.pathParameters?.proxy ?? "",
    query: event.queryStringParameters ?? {},
    headers: event.headers,
    body: isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body,
  };
}

export function json(status: number, value: unknown): HttpResponse {
  return jsonText(status, JSON.stringify(value));
}

export function jsonText(status: number, body: string): HttpResponse {
  return { statusCode: status, headers: { "content-type": "application/json" }, body };
}

/** A problem document (RFC 9457). `members` are added to it. */
export function problem(fault: Fault, members: Record<string, unknown> = {}): HttpResponse {
  const { code, message, limit } = fault;
  const { status, title } = CODES[code];
  const document = { type: "about:blank", title, status, detail: message, code, ...(limit !== undefined && { limit }) };
  return {
    statusCode: status,
    headers: { "content-type": "application/problem+json" },
    body: JSON.stringify({ ...document, ...members }),
  };
}

export function notFound(): Fault {
  return { code: "not_found", message: "There is nothing at this path. docs/protocol.md lists what there is." };
}
