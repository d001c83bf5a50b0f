import type { APIGatewayProxyResultV2 } from "aws-lambda";
import type { Caller } from "../access.ts";
import type { ConnectionId, Target } from "../model.ts";
import { type AuthorizerContext, callerOf } from "./caller.ts";

/** What our services read of an API Gateway WebSocket event. The route key is left out on purpose: a client chooses it. */
export interface WebSocketEvent {
  readonly requestContext: {
    readonly eventType: "CONNECT" | "MESSAGE" | "DISCONNECT";
    readonly connectionId: string;
    /** Unix ms. */
    readonly connectedAt: number;
    /** What an authorizer said at `$connect`; there on every later event too. */
    readonly authorizer?: AuthorizerContext;
  };
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
  /** Of `$connect` and `$disconnect`; names in the client's casing. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

/** One event of one connection. */
export interface WebSocketCall extends Caller {
  readonly kind: "connect" | "message" | "disconnect";
  readonly connection: Target;
  /** Of the address that a client connects to; empty later. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Of the handshake, names in lower case; empty later. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The frame of a message; empty otherwise. */
  readonly body: string;
}

const KINDS = { CONNECT: "connect", MESSAGE: "message", DISCONNECT: "disconnect" } as const;

/** `address` is where the service's connections are held: the same for all events of a service. */
export function parseWebSocketEvent(event: WebSocketEvent, address: string): WebSocketCall {
  const { eventType, connectionId, connectedAt, authorizer } = event.requestContext;
  return {
    kind: KINDS[eventType],
    ...callerOf(authorizer),
    connection: { id: connectionId as ConnectionId, address, connectedAt },
    query: event.queryStringParameters ?? {},
    headers: lowerCased(event.headers ?? {}),
    body: event.body ?? "",
  };
}

export function lowerCased(
  headers: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** An answer that API Gateway sends to the client where the route has a route response. Without a frame it sends nothing. */
export function routeResponse(frame?: string): APIGatewayProxyResultV2 {
  return frame === undefined ? { statusCode: 200 } : { statusCode: 200, body: frame };
}
