import type { IncomingMessage } from "node:http";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { ACCOUNT_ID } from "./account.ts";
import { createGatewayId, createTraceId } from "./ids.ts";
import { readRequestOrigin } from "./request-origin.ts";
import { formatRequestTime } from "./request-time.ts";

/** Where an HTTP API is: the same in all its events. */
export interface HttpApiAddress {
  /** `host:port`. */
  readonly domainName: string;
  readonly port: number;
  readonly apiId: string;
}

export interface HttpRequestParts {
  readonly routeKey: string;
  /** Decoded, without the service's name. */
  readonly path: string;
  readonly rawQuery: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Unix ms. */
  readonly time: number;
}

/** An event in payload format 2.0. */
export function createHttpEvent(
  address: HttpApiAddress,
  request: IncomingMessage,
  parts: HttpRequestParts,
): APIGatewayProxyEventV2 {
  const { routeKey, path, rawQuery, pathParameters, body } = parts;
  const query = readQuery(rawQuery);
  const cookies = request.headers.cookie?.split(/; */);
  return {
    version: "2.0",
    routeKey,
    rawPath: path,
    rawQueryString: rawQuery,
    ...(cookies === undefined ? {} : { cookies }),
    headers: readHeaders(address, request, parts.time),
    ...(query === undefined ? {} : { queryStringParameters: query }),
    requestContext: createContext(address, request, parts),
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters: { ...pathParameters } }),
    ...readBody(request, body),
  };
}

function createContext(
  { domainName, apiId }: HttpApiAddress,
  request: IncomingMessage,
  { routeKey, path, time }: HttpRequestParts,
): APIGatewayProxyEventV2["requestContext"] {
  const { sourceIp, userAgent = "" } = readRequestOrigin(request);
  const protocol = `HTTP/${request.httpVersion}`;
  return {
    accountId: ACCOUNT_ID,
    apiId,
    domainName,
    domainPrefix: domainName.split(/[.:]/, 1)[0] ?? "",
    http: { method: request.method ?? "", path, protocol, sourceIp, userAgent },
    requestId: createGatewayId(),
    routeKey,
    stage: "$default",
    time: formatRequestTime(time),
    timeEpoch: time,
  };
}

const LEFT_OUT: ReadonlySet<string> = new Set(["connection", "cookie", "keep-alive", "transfer-encoding"]);

/** Lower-cased, repeated ones joined by commas; cookies have a field of their own. */
function readHeaders({ port }: HttpApiAddress, request: IncomingMessage, time: number): Record<string, string> {
  const headers = new Map<string, string>();
  // Node's own objects of headers cost several times as much.
  const { rawHeaders } = request;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    const before = headers.get(name);
    if (!LEFT_OUT.has(name)) headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  headers.set("x-amzn-trace-id", createTraceId(time));
  headers.set("x-forwarded-for", readRequestOrigin(request).sourceIp);
  headers.set("x-forwarded-port", String(port));
  headers.set("x-forwarded-proto", "http");
  return Object.fromEntries(headers);
}

function readQuery(rawQuery: string): Record<string, string> | undefined {
  if (rawQuery === "") return undefined;
  const query = new URLSearchParams(rawQuery);
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).join(",")]));
}

const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|javascript)\b)/i;

/** What isn't declared as text comes in base64, HTML forms included. */
function readBody(request: IncomingMessage, body: Buffer): Pick<APIGatewayProxyEventV2, "body" | "isBase64Encoded"> {
  if (body.length === 0) return { isBase64Encoded: false };
  const isText = TEXT.test(request.headers["content-type"] ?? "");
  return { body: body.toString(isText ? "utf8" : "base64"), isBase64Encoded: !isText };
}
