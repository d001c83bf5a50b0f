import type { IncomingMessage } from "node:http";
import { errorFrame } from "./error-frame.ts";
import { findHeader, parseProxyResponse } from "./proxy-response.ts";
import { authorize } from "./web-socket-authorizer.ts";
import { type AuthorizerContext, createConnectEvent, type EventConnection } from "./web-socket-events.ts";
import type { Refusal } from "./web-socket-handshake.ts";
import type { WebSocketApiOptions } from "./web-socket-options.ts";

/** What `$connect` decided. */
export type Admission =
  | { readonly admitted: true; readonly subprotocol?: string; readonly authorizer?: AuthorizerContext }
  | { readonly admitted: false; readonly refusal: Refusal };

/**
 * Runs the authorizer and then `$connect`, which the upgrade waits for. A 2xx admits, another status passes through, a function that fails is answered with 502.
 * A service without the route admits everyone.
 */
export async function admit(
  options: Pick<WebSocketApiOptions, "address" | "routes" | "integrate" | "log">,
  connection: EventConnection,
  request: IncomingMessage,
): Promise<Admission> {
  const { address, routes, integrate, log } = options;
  const asked = createConnectEvent(address, connection, request);
  const authorization = await authorize(options, asked);
  if (!authorization.allowed) return { admitted: false, refusal: authorization.refusal };
  const authorizer = authorization.context && { authorizer: authorization.context };
  if (routes.connect === undefined) return { admitted: true, ...authorizer };
  const event = { ...asked, requestContext: { ...asked.requestContext, ...authorizer } };
  const { requestId } = event.requestContext;
  const outcome = await integrate(routes.connect.function, event);
  if (outcome.status === "late") {
    return refuse(504, errorFrame("Endpoint request timed out", connection.id, requestId));
  }
  const response = outcome.status === "failed" ? undefined : parseProxyResponse(outcome.value);
  if (response === undefined) {
    if (outcome.status === "returned") log(`${address.stage}/$connect: the handler returned no valid statusCode`);
    return refuse(502, errorFrame("Internal server error", connection.id, requestId));
  }
  const { statusCode, headers, body } = response;
  if (statusCode < 200 || statusCode > 299) return refuse(statusCode, body ?? "", findHeader(headers, "content-type"));
  const subprotocol = findHeader(headers, "sec-websocket-protocol");
  return { admitted: true, ...(subprotocol !== undefined && { subprotocol }), ...authorizer };
}

function refuse(status: number, body: string, contentType = "application/json"): Admission {
  return { admitted: false, refusal: { status, body, contentType } };
}
