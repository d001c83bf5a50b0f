import { type ConnectionGateway, type ConnectionInfo, type Target, UnavailableError } from "@topicast/core";
import type { WebSocket } from "ws";
import type { HostFaults, Refusal } from "./faults.ts";
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
  /** Sends a frame, which counts as activity. */
  send(kind: "post" | "reply", text: string): void;
  /** Closes the socket and tells the service. */
  end(code: number, reason: string): void;
}

/** The open connections of one service; what posts, looks and closes go through, from handlers as over HTTP. */
export interface ConnectionRegistry {
  add(connection: OpenConnection): void;
  /** Whether it was there. */
  remove(id: string): boolean;
  all(): Iterable<OpenConnection>;
  post(id: string, text: string): "posted" | Refusal;
  close(id: string): "closed" | Refusal;
  look(id: string): ConnectionInfo | Refusal;
  /** How often a post was asked for, refused ones too. */
  readonly posts: number;
}

export interface ConnectionRegistryOptions {
  readonly service: string;
  readonly limits: GatewayLimits;
  readonly faults: HostFaults;
}

export function createConnectionRegistry(options: ConnectionRegistryOptions): ConnectionRegistry {
  const { service, limits, faults } = options;
  const connections = new Map<string, OpenConnection>();
  let posts = 0;

  function find(id: string): OpenConnection | Refusal {
    return faults.request?.(service, id) ?? connections.get(id) ?? "gone";
  }

  return {
    add(connection) {
      connections.set(connection.id, connection);
    },
    remove: (id) => connections.delete(id),
    all: () => connections.values(),
    get posts() {
      return posts;
    },

    post(id, text) {
      posts += 1;
      const connection = find(id);
      if (typeof connection === "string") return connection;
      if (connection.socket.readyState !== connection.socket.OPEN) return "gone";
      if (connection.socket.bufferedAmount > limits.maxBufferedBytes) return "throttled";
      connection.send("post", text);
      return "posted";
    },

    close(id) {
      const connection = find(id);
      if (typeof connection === "string") return connection;
      // What a `$disconnect` event says after a DELETE on AWS.
      connection.end(1000, "Connection Closed Normally");
      return "closed";
    },

    look(id) {
      const connection = find(id);
      if (typeof connection === "string") return connection;
      const { connectedAt, lastActiveAt, sourceIp, userAgent } = connection;
      return { connectedAt, lastActiveAt, sourceIp, ...(userAgent === undefined ? {} : { userAgent }) };
    },
  };
}

/** The gateway that handlers get: the same registry, without HTTP between. */
export function createLocalGateway(registry: ConnectionRegistry, limits: GatewayLimits): ConnectionGateway {
  return {
    async post<T extends Target>(targets: readonly T[], frame: string) {
      const failures: Record<Exclude<Refusal, "hang">, T[]> = { gone: [], throttled: [], failed: [] };
      const tooLarge = Buffer.byteLength(frame) > limits.maxMessageBytes;
      for (const target of targets) {
        const outcome = tooLarge ? "failed" : registry.post(target.id, frame);
        // A gateway gives up waiting in the end.
        if (outcome !== "posted") failures[outcome === "hang" ? "failed" : outcome].push(target);
      }
      return failures;
    },
    async close({ id }) {
      const outcome = registry.close(id);
      return outcome === "closed" ? outcome : goneOrThrow(outcome);
    },
    async look({ id }) {
      const info = registry.look(id);
      if (typeof info !== "string") return info;
      goneOrThrow(info);
      return undefined;
    },
  };
}

function goneOrThrow(refusal: Refusal): "gone" {
  if (refusal === "gone") return refusal;
  throw new UnavailableError(
    "gateway",
    `The request about the connection ${refusal === "throttled" ? "was throttled" : "failed"}.`,
  );
}
