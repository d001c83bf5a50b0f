import type { Clock, ConnectionInfo } from "@topicast/core";
import type { ClientLinks } from "./client-links.ts";
import { createLookups } from "./connection-lookups.ts";
import type { HostFaults, Refusal } from "./faults.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Outbox, Outlet } from "./outbox.ts";
import { createTextFrame } from "./text-frame.ts";
import type { EventConnection } from "./web-socket-events.ts";

/** A client that is connected, from the upgrade until either side ends it. */
export interface OpenConnection extends EventConnection, Outlet {
  /** Unix ms of the last frame in either direction. */
  lastActiveAt: number;
  /** Of posts that were throttled since one was taken. */
  throttledBytes: number;
  /** Closes the socket and tells the service. */
  end(code: number, reason: string): void;
}

type PostOutcome = "posted" | Refusal;

/** The open connections of one service; what posts, looks and closes go through, from handlers as over HTTP. */
export interface ConnectionRegistry {
  add(connection: OpenConnection): void;
  /** Whether it was there. */
  remove(id: string): boolean;
  all(): Iterable<OpenConnection>;
  post(id: string, text: string): PostOutcome;
  /** Posts the same to many, and tells of those that it isn't posted to. */
  postAll<T extends { readonly id: string }>(
    targets: readonly T[],
    text: string,
    onRefused: (target: T, refusal: Refusal) => void,
  ): void;
  /** Sends the answer to a client's message. */
  reply(connection: OpenConnection, text: string): void;
  close(id: string): "closed" | Refusal;
  look(id: string): ConnectionInfo | Refusal;
  /** How often a post was asked for, refused ones too. */
  readonly posts: number;
  /** How many connections were closed because their clients didn't read. */
  readonly slowReaders: number;
}

export interface ConnectionRegistryOptions {
  readonly service: string;
  readonly limits: GatewayLimits;
  readonly faults: HostFaults;
  readonly clock: Clock;
  readonly links: ClientLinks;
  readonly outbox: Outbox;
}

const CLOSE_POLICY = 1008;

export function createConnectionRegistry(options: ConnectionRegistryOptions): ConnectionRegistry {
  const { service, limits, faults, clock, links, outbox } = options;
  const connections = new Map<string, OpenConnection>();
  const lookups = createLookups(connections);
  let posts = 0;
  let slowReaders = 0;

  function find(id: string): OpenConnection | Refusal {
    return faults.request?.(service, id) ?? connections.get(id) ?? "gone";
  }

  function endSlowReader(connection: OpenConnection): void {
    slowReaders += 1;
    connection.end(CLOSE_POLICY, "What is sent is not read");
  }

  function throttle(connection: OpenConnection, unsentBytes: number, frame: Buffer): Refusal {
    connection.throttledBytes += frame.length;
    if (unsentBytes + connection.throttledBytes <= limits.maxUnreadBytes) return "throttled";
    endSlowReader(connection);
    return "gone";
  }

  function postTo(connection: OpenConnection, frame: Buffer, now: number): PostOutcome {
    // What held when this turn's first frame was put still does: nothing else is sent before its end.
    if (outbox.isDue(connection)) {
      links.send(connection, "post", frame);
      return "posted";
    }
    const { socket } = connection;
    if (socket.readyState !== socket.OPEN) return "gone";
    const unsentBytes = outbox.unsentBytes(connection);
    if (unsentBytes > limits.maxBufferedBytes) return throttle(connection, unsentBytes, frame);
    connection.throttledBytes = 0;
    connection.lastActiveAt = now;
    links.send(connection, "post", frame);
    return "posted";
  }

  return {
    add(connection) {
      connections.set(connection.id, connection);
      lookups.forget();
    },
    remove(id) {
      lookups.forget();
      return connections.delete(id);
    },
    all: () => connections.values(),
    get posts() {
      return posts;
    },
    get slowReaders() {
      return slowReaders;
    },

    post(id, text) {
      posts += 1;
      const connection = find(id);
      return typeof connection === "string" ? connection : postTo(connection, createTextFrame(text), clock.now());
    },

    postAll(targets, text, onRefused) {
      const frame = createTextFrame(text);
      const now = clock.now();
      const found = faults.request === undefined ? lookups.find(targets) : targets.map(({ id }) => find(id));
      posts += targets.length;
      links.sendAll(found, frame, () => {
        for (let index = 0; index < found.length; index++) {
          const connection = found[index] as OpenConnection | Refusal;
          const outcome = typeof connection === "string" ? connection : postTo(connection, frame, now);
          if (outcome !== "posted") onRefused(targets[index] as (typeof targets)[number], outcome);
        }
      });
    },

    reply(connection, text) {
      const { socket } = connection;
      if (socket.readyState !== socket.OPEN) return;
      if (outbox.unsentBytes(connection) > limits.maxUnreadBytes) return endSlowReader(connection);
      connection.lastActiveAt = clock.now();
      links.send(connection, "reply", createTextFrame(text));
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
