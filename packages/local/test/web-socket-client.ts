import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";

/** A client that keeps its frames as text until a test takes them. */
export interface WebSocketClient {
  readonly socket: WebSocket;
  send(text: string): void;
  /** The next frame that nobody took yet. */
  next(): Promise<string>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

type Options = ConstructorParameters<typeof WebSocket>[2];

export async function connectClient(
  url: string,
  options: Options = {},
  protocols: string[] = [],
): Promise<WebSocketClient> {
  const socket = new WebSocket(url, protocols, options);
  const frames: string[] = [];
  const takers: ((frame: string) => void)[] = [];
  socket.on("message", (data) => {
    const taker = takers.shift();
    if (taker === undefined) frames.push(data.toString());
    else taker(data.toString());
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await once(socket, "open");
  return {
    socket,
    closed,
    send: (text) => socket.send(text),
    next() {
      const frame = frames.shift();
      return frame === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(frame);
    },
  };
}

/** How a handshake that must not succeed is answered. */
export async function connectRefused(
  url: string,
  options: Options = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const socket = new WebSocket(url, options);
  // `ws` reports the aborted request as an error too.
  socket.on("error", () => undefined);
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}
