import type { Clock, ConnectionGateway, ConnectionInfo, Target } from "@topicast/core";
import type { WebSocket } from "ws";
import type { HostFaults } from "./faults.ts";
import type { GatewayLimits } from "./limits.ts";

/** A client that is connected, from the upgrade until either side ends it. */
export interface OpenConnection {
  readonly id: string;
  readonly socket: WebSocket;
  /** Unix ms. */
  readonly connectedAt: number;
  /** Unix ms of the last frame in either direction. */
  lastActiveAt: number;
  readonly sourceIp: string;
  readonly userAgent?: string;
  /** Closes the socket and tells the service. */
  end(code: number, reason: string): void;
}

export type PostOutcome = "posted" | "gone" | "throttled" | "failed";

/** The open connections of one service; what posts, looks and closes go through, from handlers as over HTTP. */
export interface ConnectionRegistry {
  add(connection: OpenConnection): void;
  /** Whether it was there. */
  remove(id: string): boolean;
  all(): Iterable<OpenConnection>;
  post(id: string, text: string): PostOutcome;
  close(id: string): "closed" | "gone";
  look(id: string): ConnectionInfo | undefined;
}

export interface ConnectionRegistryOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly faults: HostFaults;
}

export function createConnectionRegistry(options: ConnectionRegistryOptions): ConnectionRegistry {
  const { service, clock, limits, faults } = options;
  const connections = new Map<string, OpenConnection>();

  return {
    add(connection) {
      connections.set(connection.id, connection);
    },
    remove: (id) => connections.delete(id),
    all: () => connections.values(),

    post(id, text) {
      const fault = faults.post?.(service, id);
      if (fault !== undefined) return fault;
      const connection = connections.get(id);
      if (connection === undefined || connection.socket.readyState !== connection.socket.OPEN) return "gone";
      if (connection.socket.bufferedAmount > limits.maxBufferedBytes) return "throttled";
      connection.socket.send(text);
      connection.lastActiveAt = clock.now();
      return "posted";
    },

    close(id) {
      const connection = connections.get(id);
      if (connection === undefined) return "gone";
      // What a `$disconnect` event says after a DELETE on AWS.
      connection.end(1000, "Connection Closed Normally");
      return "closed";
    },

    look(id) {
      const connection = connections.get(id);
      if (connection === undefined) return undefined;
      const { connectedAt, lastActiveAt, sourceIp, userAgent } = connection;
      return { connectedAt, lastActiveAt, sourceIp, ...(userAgent === undefined ? {} : { userAgent }) };
    },
  };
}

/** The gateway that handlers get: the same registry, without HTTP between. */
export function createLocalGateway(registry: ConnectionRegistry, limits: GatewayLimits): ConnectionGateway {
  return {
    async post<T extends Target>(targets: readonly T[], frame: string) {
      const failures: Record<PostOutcome, T[]> = { posted: [], gone: [], throttled: [], failed: [] };
      const tooLarge = Buffer.byteLength(frame) > limits.maxMessageBytes;
      for (const target of targets) {
        const outcome = tooLarge ? "failed" : registry.post(target.id, frame);
        if (outcome !== "posted") failures[outcome].push(target);
      }
      return { gone: failures.gone, throttled: failures.throttled, failed: failures.failed };
    },
    close: async ({ id }) => registry.close(id),
    look: async ({ id }) => registry.look(id),
  };
}
