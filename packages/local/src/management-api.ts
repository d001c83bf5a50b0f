import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConnectionRegistry } from "./connection-registry.ts";
import type { Refusal } from "./faults.ts";
import { isGatewayId } from "./ids.ts";
import type { GatewayLimits } from "./limits.ts";
import { MAX_IDS_BYTES, postAll } from "./peer-posts.ts";
import { readBody } from "./request-body.ts";
import type { SignatureFault, SignatureVerifier } from "./request-signature.ts";

interface Answer {
  readonly status: number;
  readonly body?: object;
  /** Without it in a header, SDK v3 names every error `Unknown`. */
  readonly errorType?: string;
}

const TOO_LARGE: Answer = {
  status: 413,
  errorType: "PayloadTooLargeException",
  body: { message: "Message too long" },
};

/** No gateway's answer, and no reason for a peer to take connections for gone. */
const MISDIRECTED: Answer = { status: 421, body: { message: "Meant for another host" } };

const FORBIDDEN: Answer = { status: 403, errorType: "ForbiddenException", body: { message: "Forbidden" } };

/** `undefined`: there is none, the request hangs. */
const REFUSED: Readonly<Record<Refusal, Answer | undefined>> = {
  gone: { status: 410, errorType: "GoneException" },
  throttled: { status: 429, errorType: "LimitExceededException", body: { message: "Too Many Requests" } },
  failed: { status: 500, errorType: "InternalServerErrorException", body: { message: "Internal server error" } },
  hang: undefined,
};

export interface ManagementOptions {
  /** Where other hosts reach this one, as their requests' `host` says it. */
  readonly host: string;
  readonly registry: ConnectionRegistry;
  readonly limits: GatewayLimits;
  /** Absent where anyone may call. */
  readonly signatures?: SignatureVerifier;
}

/**
 * Answers `/{stage}/@connections/{id}`; `rawId` is the path's last part as it was sent. Without it, `/{stage}/@connections`, what other hosts post by, see
 * `peer-posts.ts`.
 */
export async function answerManagement(
  request: IncomingMessage,
  response: ServerResponse,
  rawId: string | undefined,
  { host, registry, limits, signatures }: ManagementOptions,
): Promise<void> {
  // All hosts on one Redis sign alike: what is signed for one of them is for no other.
  if (rawId === undefined && request.headers.host !== host) return send(response, MISDIRECTED);
  const claim = signatures?.open(request);
  if (claim !== undefined && "errorType" in claim) return send(response, refuse(claim));
  const body = await readBody(request, limits.maxMessageBytes + (rawId === undefined ? MAX_IDS_BYTES : 0));
  // It isn't kept, so nobody can tell whether the signature is right; the answer says nothing but the limit.
  if (body === undefined) return send(response, TOO_LARGE);
  const fault = await claim?.check(body);
  if (fault !== undefined) return send(response, refuse(fault));
  const method = request.method ?? "";
  const answer =
    rawId === undefined
      ? decideForMany(method, body, registry, limits)
      : decide(method, decodeId(rawId), body, registry);
  if (answer !== undefined) send(response, answer);
}

function refuse({ errorType, message }: SignatureFault): Answer {
  return { status: 403, errorType, body: { message } };
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer.errorType !== undefined) response.setHeader("x-amzn-errortype", answer.errorType);
  if (answer.body !== undefined) response.setHeader("content-type", "application/json");
  response.statusCode = answer.status;
  response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
}

function decide(method: string, id: string, body: Buffer, registry: ConnectionRegistry): Answer | undefined {
  if (!isGatewayId(id)) {
    return { status: 400, errorType: "BadRequestException", body: { message: `Invalid connectionId: ${id}` } };
  }
  if (method === "POST") {
    const outcome = registry.post(id, body.toString());
    return outcome === "posted" ? { status: 200 } : REFUSED[outcome];
  }
  if (method === "DELETE") {
    const outcome = registry.close(id);
    return outcome === "closed" ? { status: 204 } : REFUSED[outcome];
  }
  if (method === "GET") return look(id, registry);
  return FORBIDDEN;
}

function decideForMany(method: string, body: Buffer, registry: ConnectionRegistry, limits: GatewayLimits): Answer {
  if (method !== "POST") return FORBIDDEN;
  const refusals = postAll(body.toString(), registry, limits.maxMessageBytes);
  return refusals === undefined ? TOO_LARGE : { status: 200, body: refusals };
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
