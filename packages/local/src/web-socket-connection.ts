import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { OpenConnection } from "./connection-registry.ts";
import { createFrameScanner } from "./frame-lengths.ts";
import type { EventConnection } from "./web-socket-events.ts";
import type { ReceiveMessage } from "./web-socket-messages.ts";
import type { WebSocketApiOptions } from "./web-socket-options.ts";

/** The registered codes (RFC 6455, 7.4.1) that API Gateway closes with. */
export const CLOSE_GOING_AWAY = 1001;
const CLOSE_UNSUPPORTED = 1003;
const CLOSE_NO_STATUS = 1005;
export const CLOSE_ABNORMAL = 1006;
const CLOSE_TOO_LARGE = 1009;

export interface ConnectionListeners {
  readonly receive: ReceiveMessage;
  /** Called once, whichever side ended it. */
  readonly onEnded: (connection: EventConnection, code: number, reason: string) => void;
}

/** Registers a connection whose handshake is done, and serves it until either side ends it. */
export function openConnection(
  options: WebSocketApiOptions,
  connection: EventConnection,
  socket: WebSocket,
  stream: Duplex,
  listeners: ConnectionListeners,
): void {
  const open = serve(options, connection, socket, stream, listeners);
  options.registry.add(open);
  options.links.open(open);
  listen(options, open);
}

interface ServedConnection extends OpenConnection {
  /** A connection that ended takes nothing more. */
  ended: boolean;
  /** Takes it from the registry and tells the service, once. */
  leave(code: number, reason: string): void;
  take(data: RawData, isBinary: boolean): void;
}

function serve(
  { registry, links, outbox, clock }: WebSocketApiOptions,
  { id, connectedAt, sourceIp, userAgent, authorizer }: EventConnection,
  socket: WebSocket,
  stream: Duplex,
  { receive, onEnded }: ConnectionListeners,
): ServedConnection {
  // Not spread, so that all are of one shape: every delivery reads and writes one.
  const open: ServedConnection = {
    id,
    connectedAt,
    sourceIp,
    userAgent,
    authorizer,
    socket,
    stream,
    group: undefined,
    lastActiveAt: clock.now(),
    throttledBytes: 0,
    ended: false,
    end(code, reason) {
      open.leave(code, reason);
      links.behind(open, () => {
        outbox.flush(open);
        socket.close(code, reason);
      });
    },
    leave(code, reason) {
      if (open.ended) return;
      open.ended = true;
      registry.remove(id);
      onEnded(open, code, reason);
    },
    take(data, isBinary) {
      if (open.ended) return;
      open.lastActiveAt = clock.now();
      if (isBinary) open.end(CLOSE_UNSUPPORTED, "");
      else void receive(open, data.toString());
    },
  };
  return open;
}

function listen({ links, outbox, limits, clock }: WebSocketApiOptions, open: ServedConnection): void {
  const { socket, stream } = open;
  socket.on("message", (data, isBinary) => links.receive(open, () => open.take(data, isBinary)));
  if (limits.pingsCountAsFrames) {
    socket.on("ping", () => {
      open.lastActiveAt = clock.now();
    });
  }
  socket.on("close", (code, reason) =>
    links.behind(open, () => open.leave(code, describeClose(code, reason.toString()))),
  );
  // `ws` answers faulty frames with the fitting code by itself, and "close" follows; its event would say 1006.
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") open.leave(CLOSE_TOO_LARGE, "");
  });
  const scan = createFrameScanner(limits.maxFrameBytes);
  // Ahead of the listener of `ws`: what a frame that is too large carries must not count as a message, and what `ws` answers by itself, pings
  // and closes, comes behind what is due.
  stream.prependListener("data", (chunk: Buffer) => {
    if (open.ended) return;
    const note = scan(chunk);
    if (note === "control") outbox.flush(open);
    if (note === "tooLarge")
      open.end(CLOSE_TOO_LARGE, `Max frame length of ${limits.maxFrameBytes} has been exceeded.`);
  });
}

function describeClose(code: number, reason: string): string {
  if (code === CLOSE_NO_STATUS) return "Client-side close frame status not set";
  return code === CLOSE_ABNORMAL ? LOST : reason;
}

/** What a `$disconnect` event says of a link that broke; AWS's wording is not known. */
export const LOST = "Connection closed abnormally";
