import type { IncomingMessage } from "node:http";
import { arnOf } from "./account.ts";
import { createGatewayId, createTraceId } from "./ids.ts";
import type { RequestOrigin } from "./request-origin.ts";
import { formatRequestTime } from "./request-time.ts";

/** Where a WebSocket API is: the same in all its events. */
export interface WebSocketApiAddress {
  /** `host:port`; with the stage it makes the address of `@connections`. */
  readonly domainName: string;
  readonly port: number;
  readonly stage: string;
  readonly apiId: string;
  readonly region: string;
}

/** The connection that an event is about. */
export interface EventConnection extends RequestOrigin {
  readonly id: string;
  /** What an authorizer said of it: on all of its events. */
  readonly authorizer?: AuthorizerContext | undefined;
  /** Unix ms. */
  readonly connectedAt: number;
}

/** What an authorizer gives on, and `principalId`. Numbers and booleans come as text. */
export type AuthorizerContext = Readonly<Record<string, string>>;

type Headers = Record<string, string>;
type MultiValueHeaders = Record<string, string[]>;

export interface WebSocketRequestContext {
  readonly routeKey: string;
  readonly messageId?: string;
  readonly eventType: "CONNECT" | "MESSAGE" | "DISCONNECT";
  readonly disconnectStatusCode?: number;
  readonly disconnectReason?: string;
  readonly extendedRequestId: string;
  readonly requestTime: string;
  readonly messageDirection: "IN";
  readonly stage: string;
  readonly connectedAt: number;
  readonly requestTimeEpoch: number;
  readonly identity: RequestOrigin;
  readonly requestId: string;
  readonly domainName: string;
  readonly connectionId: string;
  readonly apiId: string;
  readonly authorizer?: AuthorizerContext;
}

/** What an authorizer gets: the event of `$connect`, and what it is to decide about. */
export interface WebSocketAuthorizerEvent extends WebSocketEvent {
  readonly type: "REQUEST";
  readonly methodArn: string;
}

/** An event of a WebSocket API, its fields as captured on AWS. */
export interface WebSocketEvent {
  readonly headers?: Headers;
  readonly multiValueHeaders?: MultiValueHeaders;
  readonly queryStringParameters?: Record<string, string>;
  readonly multiValueQueryStringParameters?: Record<string, string[]>;
  readonly requestContext: WebSocketRequestContext;
  readonly body?: string;
  readonly isBase64Encoded: false;
}

type ContextParts = Pick<
  WebSocketRequestContext,
  "routeKey" | "eventType" | "messageId" | "disconnectStatusCode" | "disconnectReason"
>;

function createContext(
  api: WebSocketApiAddress,
  connection: EventConnection,
  nowMs: number,
  parts: ContextParts,
): WebSocketRequestContext {
  const requestId = createGatewayId();
  const { sourceIp, userAgent, authorizer } = connection;
  const context = {
    extendedRequestId: requestId,
    requestTime: formatRequestTime(nowMs),
    messageDirection: "IN" as const,
    stage: api.stage,
    connectedAt: connection.connectedAt,
    requestTimeEpoch: nowMs,
    identity: userAgent === undefined ? { sourceIp } : { userAgent, sourceIp },
    requestId,
    domainName: api.domainName,
    connectionId: connection.id,
    apiId: api.apiId,
  };
  // Not spread into the literal: that takes several times as long, and this is made for every message.
  return Object.assign(context, parts, authorizer !== undefined && { authorizer });
}

export function createConnectEvent(
  api: WebSocketApiAddress,
  connection: EventConnection,
  request: IncomingMessage,
): WebSocketEvent {
  const multiValueHeaders = readHeaders(api, connection, request);
  return {
    headers: lastValues(multiValueHeaders),
    multiValueHeaders,
    ...readQuery(request.url ?? "/"),
    requestContext: createContext(api, connection, connection.connectedAt, {
      routeKey: "$connect",
      eventType: "CONNECT",
    }),
    isBase64Encoded: false,
  };
}

export function createAuthorizerEvent(
  { region, apiId, stage }: WebSocketApiAddress,
  event: WebSocketEvent,
): WebSocketAuthorizerEvent {
  const methodArn = arnOf("execute-api", region, `${apiId}/${stage}/$connect`);
  return { type: "REQUEST", methodArn, ...event };
}

/** Nothing where there is no parameter. */
function readQuery(url: string): Pick<WebSocketEvent, "queryStringParameters" | "multiValueQueryStringParameters"> {
  const at = url.indexOf("?");
  const query = new URLSearchParams(at === -1 ? "" : url.slice(at));
  if (query.size === 0) return {};
  const values = Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
  return { queryStringParameters: lastValues(values), multiValueQueryStringParameters: values };
}

/** The client's headers in its own casing, without `Connection` and `Upgrade`, and those that API Gateway adds. */
function readHeaders(
  api: WebSocketApiAddress,
  connection: EventConnection,
  request: IncomingMessage,
): MultiValueHeaders {
  // No plain object: a client may call a header `constructor`.
  const headers = new Map<string, string[]>();
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? "";
    if (/^(connection|upgrade|host|x-forwarded-(for|port|proto))$/i.test(name)) continue;
    headers.set(name, [...(headers.get(name) ?? []), request.rawHeaders[at + 1] ?? ""]);
  }
  return {
    ...Object.fromEntries(headers),
    Host: [request.headers.host ?? api.domainName],
    "X-Amzn-Trace-Id": [createTraceId(connection.connectedAt)],
    "X-Forwarded-For": [connection.sourceIp],
    "X-Forwarded-Port": [String(api.port)],
    "X-Forwarded-Proto": ["http"],
  };
}

function lastValues(values: MultiValueHeaders): Headers {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1) ?? ""]));
}

export function createMessageEvent(
  api: WebSocketApiAddress,
  connection: EventConnection,
  nowMs: number,
  routeKey: string,
  body: string,
): WebSocketEvent {
  const parts: ContextParts = { routeKey, messageId: createGatewayId(), eventType: "MESSAGE" };
  return { requestContext: createContext(api, connection, nowMs, parts), body, isBase64Encoded: false };
}

export function createDisconnectEvent(
  api: WebSocketApiAddress,
  connection: EventConnection,
  nowMs: number,
  disconnectStatusCode: number,
  disconnectReason: string,
): WebSocketEvent {
  const headers = { Host: api.domainName, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" };
  return {
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    requestContext: createContext(api, connection, nowMs, {
      routeKey: "$disconnect",
      eventType: "DISCONNECT",
      disconnectStatusCode,
      disconnectReason,
    }),
    isBase64Encoded: false,
  };
}
