import type { IncomingMessage } from "node:http";

/** Who sent a request. */
export interface RequestOrigin {
  readonly userAgent?: string | undefined;
  readonly sourceIp: string;
}

export function readRequestOrigin(request: IncomingMessage): RequestOrigin {
  // A dual-stack socket writes IPv4 addresses as mapped ones.
  const sourceIp = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const userAgent = request.headers["user-agent"];
  return userAgent === undefined ? { sourceIp } : { userAgent, sourceIp };
}
