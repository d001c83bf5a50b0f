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

/** Lower-cased, repeated ones joined by commas; cookies have a field of their own. */
function readHeaders({ port }: HttpApiAddress, request: IncomingMessage, time: number): Record<string, string> {
  const {
    connection,
    cookie,
    "keep-alive": keepAlive,
    "transfer-encoding": encoding,
    ...sent
  } = request.headersDistinct;
  const headers = Object.entries(sent).map(([name, values]) => [name, values?.join(",") ?? ""]);
  return {
    ...Object.fromEntries(headers),
    "x-amzn-trace-id": createTraceId(time),
    "x-forwarded-for": readRequestOrigin(request).sourceIp,
    "x-forwarded-port": String(port),
    "x-forwarded-proto": "http",
  };
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
