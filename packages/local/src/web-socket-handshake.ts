import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

/** Why an upgrade is refused, as an HTTP response. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

export function refuseUpgrade(socket: Duplex, { status, body, contentType }: Refusal): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    `Content-Type: ${contentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Whether a request can become a WebSocket (RFC 6455, 4.2.1), so that `$connect` isn't run for one that can't. */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  return (
    method === "GET" &&
    headers.upgrade?.toLowerCase() === "websocket" &&
    headers["sec-websocket-version"] === "13" &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? "")
  );
}

export interface Upgrader {
  /** The socket of the client, or `undefined` where it left meanwhile. Speaks `subprotocol` only where one is given. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, subprotocol?: string): WebSocket | undefined;
}

export function createUpgrader(maxMessageBytes: number): Upgrader {
  const subprotocols = new WeakMap<IncomingMessage, string>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: (_offered, request) => subprotocols.get(request) ?? false,
  });
  return {
    upgrade(request, socket, head, subprotocol) {
      if (subprotocol !== undefined) subprotocols.set(request, subprotocol);
      let upgraded: WebSocket | undefined;
      // Calls back before it returns, or not at all.
      server.handleUpgrade(request, socket, head, (webSocket) => {
        upgraded = webSocket;
      });
      return upgraded;
    },
  };
}
