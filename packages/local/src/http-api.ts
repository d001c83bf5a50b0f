import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "@topicast/core";
import { createHttpEvent, type HttpApiAddress } from "./http-events.ts";
import { createHttpRoutes, type HttpMatch } from "./http-routes.ts";
import type { Integration } from "./integration.ts";
import type { LambdaFunction } from "./lambda-function.ts";
import type { GatewayLimits } from "./limits.ts";
import { findHeader, type ProxyResponse, parseProxyResponse } from "./proxy-response.ts";
import { readBody } from "./request-body.ts";

export interface HttpApiOptions {
  readonly address: HttpApiAddress;
  readonly functions: readonly LambdaFunction[];
  readonly integrate: Integration;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
}

/** A service's HTTP API. */
export interface HttpApi {
  /** Answers a request; `rawPath` is its path as it was sent, without the service's name. Rejects where the client breaks off. */
  answer(request: IncomingMessage, response: ServerResponse, rawPath: string, rawQuery: string): Promise<void>;
}

export function createHttpApi({ address, functions, integrate, limits, clock }: HttpApiOptions): HttpApi {
  const targets = functions.flatMap((target) => target.definition.httpRouteKeys.map((key) => [key, target] as const));
  const routes = createHttpRoutes(new Map(targets));

  async function invoke(
    request: IncomingMessage,
    { routeKey, target, pathParameters }: HttpMatch<LambdaFunction>,
    path: string,
    rawQuery: string,
  ): Promise<ProxyResponse> {
    const body = await readBody(request, limits.maxBodyBytes);
    if (body === undefined) return messageResponse(413, "Request Entity Too Large");
    const parts = { routeKey, path, rawQuery, pathParameters, body, time: clock.now() };
    const outcome = await integrate(target, createHttpEvent(address, request, parts));
    if (outcome.status === "late") return messageResponse(503, "Service Unavailable");
    const response = outcome.status === "failed" ? undefined : inferResponse(outcome.value);
    return response ?? messageResponse(500, "Internal Server Error");
  }

  return {
    async answer(request, response, rawPath, rawQuery) {
      const path = decodePath(rawPath);
      if (path === undefined) return send(response, messageResponse(400, "Bad Request"));
      const match = routes.match(request.method ?? "", path);
      if (match === undefined) return send(response, messageResponse(404, "Not Found"));
      send(response, await invoke(request, match, path, rawQuery));
    },
  };
}

/** The whole path at once, `%2F` too: an escaped slash divides segments like a plain one. */
function decodePath(rawPath: string): string | undefined {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    // A malformed escape sequence; there is no path to look for.
    return undefined;
  }
}

function messageResponse(statusCode: number, message: string): ProxyResponse {
  const headers = { "content-type": "application/json" };
  return { statusCode, headers, cookies: [], body: JSON.stringify({ message }), isBase64Encoded: false };
}

/** In format 2.0 whatever has no `statusCode` is itself the body of a 200. `undefined` where a response is malformed. */
function inferResponse(value: unknown): ProxyResponse | undefined {
  if (typeof value === "object" && value !== null && "statusCode" in value) return parseProxyResponse(value);
  const body = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    cookies: [],
    body,
    isBase64Encoded: false,
  };
}

function send(response: ServerResponse, { statusCode, headers, cookies, body, isBase64Encoded }: ProxyResponse): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
  if (findHeader(headers, "content-type") === undefined) response.setHeader("content-type", "text/plain;charset=UTF-8");
  // Not by writeHead, which would leave out the length.
  response.statusCode = statusCode;
  // Text goes out in one piece with the head, where bytes would be a second write.
  response.end(isBase64Encoded ? Buffer.from(body ?? "", "base64") : (body ?? ""));
}
