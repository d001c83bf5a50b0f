import type { OpenConnection } from "./connection-registry.ts";
import { errorFrame } from "./error-frame.ts";
import { createMessageEvent } from "./web-socket-events.ts";
import type { WebSocketApiOptions } from "./web-socket-options.ts";
import type { WebSocketTarget } from "./web-socket-routes.ts";

/** Takes a client's message to its route and the answer back. Messages of one connection run side by side. Never rejects. */
export type ReceiveMessage = (connection: OpenConnection, body: string) => Promise<void>;

export function createMessageReceiver(options: WebSocketApiOptions): ReceiveMessage {
  const { address, routes, registry, clock } = options;
  return async (connection, body) => {
    const route = routes.select(body);
    const event = createMessageEvent(address, connection, clock.now(), route?.routeKey ?? "$default", body);
    const answer = route === undefined ? { error: "Forbidden" } : await ask(options, route.target, event);
    const { requestId } = event.requestContext;
    if (answer.error !== undefined) registry.reply(connection, errorFrame(answer.error, connection.id, requestId));
    else if (answer.body !== undefined) registry.reply(connection, answer.body);
  };
}

interface Answer {
  readonly error?: string;
  readonly body?: string;
}

async function ask(options: WebSocketApiOptions, target: WebSocketTarget, event: object): Promise<Answer> {
  const outcome = await options.integrate(target.function, event);
  // The client is told of a failure whether or not its route has a route response.
  if (outcome.status === "failed") return { error: "Internal server error" };
  if (outcome.status === "late") return { error: "Endpoint request timed out" };
  if (!target.answers) return {};
  const body = (outcome.value as { readonly body?: unknown } | null | undefined)?.body;
  if (body === undefined || body === null) return {};
  const fault = findFault(body, options.limits.maxMessageBytes);
  if (fault === undefined) return { body: String(body) };
  options.log(`${options.address.stage}/${target.function.definition.name}: ${fault}`);
  return { error: "Internal server error" };
}

function findFault(body: unknown, maxBytes: number): string | undefined {
  if (typeof body !== "string") return "the handler returned a body that is no string";
  const bytes = Buffer.byteLength(body);
  return bytes > maxBytes ? `the handler returned a body of ${bytes} bytes, ${maxBytes} are allowed` : undefined;
}
