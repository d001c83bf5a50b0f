import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { StartError } from "./start-error.ts";
import { refuseUpgrade } from "./web-socket-handshake.ts";

/** A server that listens. */
export interface HttpServer {
  readonly server: Server;
  readonly port: number;
  /** What reaches it: name and port. */
  readonly domainName: string;
  /** Takes no more connections; resolves when `goodbye` is done and those that were open are closed, in half a second at most. */
  drain(goodbye: () => Promise<unknown>): Promise<void>;
  /** Ends the connections that are left. */
  end(): Promise<void>;
}

const CLOSE_GRACE_MS = 500;

export interface ListenOptions {
  readonly port: number;
  readonly hostname: string;
  /** Of the request line and all headers of a request. */
  readonly maxHeaderBytes: number;
}

/** Throws a {@link StartError} where that port or address can't be had. */
export async function listen({ port, hostname, maxHeaderBytes }: ListenOptions): Promise<HttpServer> {
  const server = createServer({ maxHeaderSize: maxHeaderBytes });
  server.on("clientError", refuseMalformed);
  const sockets = trackSockets(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new StartError(describe(cause, port, hostname), { cause })),
    );
    server.listen(port, hostname, resolve);
  });
  const address = server.address() as AddressInfo;
  const drained = new Promise<void>((resolve) => void server.once("close", resolve));
  return {
    server,
    port: address.port,
    domainName: `${nameOf(hostname)}:${address.port}`,
    drain(goodbye) {
      server.close();
      return withinGrace(Promise.all([drained, goodbye()]));
    },
    async end() {
      for (const socket of sockets) socket.destroy();
      await drained;
    },
  };
}

function describe({ code, message }: NodeJS.ErrnoException, port: number, hostname: string): string {
  if (code === "EADDRINUSE") return `Port ${port} is taken; stop what uses it, or choose another with --port`;
  if (code === "EACCES") return `Port ${port} needs more rights than this user has; choose one above 1023 with --port`;
  return `Can't listen on ${hostname}, port ${port}: ${message}`;
}

/** What reaches a host that listens on `hostname`; "everything" is no address to connect to. */
function nameOf(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::") return "localhost";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** Answers what is no HTTP request, or one with headers that are too large, as gateways do. */
function refuseMalformed({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  // Whoever broke off gets no answer.
  if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, message] = MALFORMED[code ?? ""] ?? [400, "Bad Request"];
  refuseUpgrade(socket, { status, body: JSON.stringify({ message }), contentType: "application/json" });
}

const MALFORMED: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

async function withinGrace(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  // Not the injected clock: that may stand still while a client or a handler hangs.
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_GRACE_MS);
  });
  await Promise.race([work, grace]);
  clearTimeout(timer);
}
