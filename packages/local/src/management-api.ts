import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConnectionRegistry } from "./connection-registry.ts";
import type { Refusal } from "./faults.ts";
import { isGatewayId } from "./ids.ts";
import type { GatewayLimits } from "./limits.ts";
import { readBody } from "./request-body.ts";

interface Answer {
  readonly status: number;
  readonly body?: object;
  /** Without it in a header, SDK v3 names every error `Unknown`. */
  readonly errorType?: string;
}

/** `undefined`: there is none, the request hangs. */
const REFUSED: Readonly<Record<Refusal, Answer | undefined>> = {
  gone: { status: 410, errorType: "GoneException" },
  throttled: { status: 429, errorType: "LimitExceededException", body: { message: "Too Many Requests" } },
  failed: { status: 500, errorType: "InternalServerErrorException", body: { message: "Internal server error" } },
  hang: undefined,
};

/** Answers `/{stage}/@connections/{id}`; `rawId` is the path's last part as it was sent. Anyone may call: signatures are not checked. */
export async function answerManagement(
  request: IncomingMessage,
  response: ServerResponse,
  rawId: string,
  registry: ConnectionRegistry,
  limits: GatewayLimits,
): Promise<void> {
  const body = await readBody(request, limits.maxMessageBytes);
  const answer = decide(request.method ?? "", decodeId(rawId), body, registry);
  if (answer === undefined) return;
  if (answer.errorType !== undefined) response.setHeader("x-amzn-errortype", answer.errorType);
  if (answer.body !== undefined) response.setHeader("content-type", "application/json");
  response.statusCode = answer.status;
  response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
}

function decide(
  method: string,
  id: string,
  body: Buffer | undefined,
  registry: ConnectionRegistry,
): Answer | undefined {
  if (!isGatewayId(id)) {
    return { status: 400, errorType: "BadRequestException", body: { message: `Invalid connectionId: ${id}` } };
  }
  if (method === "POST" && body === undefined) {
    return { status: 413, errorType: "PayloadTooLargeException", body: { message: "Message too long" } };
  }
  if (method === "POST") {
    const outcome = registry.post(id, (body ?? "").toString());
    return outcome === "posted" ? { status: 200 } : REFUSED[outcome];
  }
  if (method === "DELETE") {
    const outcome = registry.close(id);
    return outcome === "closed" ? { status: 204 } : REFUSED[outcome];
  }
  if (method === "GET") return look(id, registry);
  return { status: 403, errorType: "ForbiddenException", body: { message: "Forbidden" } };
}

function look(id: string, registry: ConnectionRegistry): Answer | undefined {
  const info = registry.look(id);
  if (typeof info === "string") return REFUSED[info];
  const { sourceIp, userAgent, connectedAt, lastActiveAt } = info;
  const body = {
    identity: { sourceIp, userAgent },
    connectedAt: new Date(connectedAt).toISOString(),
    lastActiveAt: new Date(lastActiveAt).toISOString(),
  };
  return { status: 200, body };
}

function decodeId(rawId: string): string {
  try {
    return decodeURIComponent(rawId);
  } catch {
    // Not an escape sequence, so no id either.
    return rawId;
  }
}
