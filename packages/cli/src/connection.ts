import type { IncomingMessage } from "node:http";
import { MAX_SERVER_FRAME_BYTES } from "@topicast/protocol";
import WebSocket from "ws";
import { problemOf } from "./problem.ts";
import { unreachable } from "./unreachable.ts";

const HANDSHAKE_MS = 15_000;
/** Of a refusal's body, of which a line is shown. */
const MAX_BODY_BYTES = 64 * 1024;

/** Throws a `CommandError` where the handshake is refused, or the service can't be reached. */
export async function connect(url: string, token: string | undefined): Promise<WebSocket> {
  const socket = new WebSocket(url, {
    handshakeTimeout: HANDSHAKE_MS,
    // More than the protocol allows; what is beyond is no Topicast service.
    maxPayload: 2 * MAX_SERVER_FRAME_BYTES,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.on("error", (error) => reject(unreachable(url, error)));
    socket.once("unexpected-response", (_, response) => {
      const refused = readBody(response).then((body) => problemOf(url, response.statusCode ?? 500, body));
      void refused
        .catch((error: unknown) => unreachable(url, error))
        .then(reject)
        .finally(() => socket.terminate());
    });
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) break;
  }
  return body;
}
