import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { StartError } from "./start-error.ts";

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

/** Throws a {@link StartError} where that port or address can't be had. */
export async function listen(port: number, hostname: string): Promise<HttpServer> {
  const server = createServer();
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
