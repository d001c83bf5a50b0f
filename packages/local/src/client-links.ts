import type { OpenConnection } from "./connection-registry.ts";
import type { Arrivals, FrameKind } from "./faults.ts";
import type { Outbox } from "./outbox.ts";
import type { WebSocketApiOptions } from "./web-socket-options.ts";

/** The network between the gateway and its clients, on which only those faults happen that are asked for. */
export interface ClientLinks {
  /** Begins to break the link where a fault says so. */
  open(connection: OpenConnection): void;
  /** Sends a whole frame to a client. It is lost where the client is gone by the time that it would arrive. */
  send(connection: OpenConnection, kind: "post" | "reply", frame: Buffer): void;
  /** Sends the same to all of a list, which must not change any more; `sendEach` does it one by one, where that isn't one step. */
  sendAll(list: readonly (OpenConnection | string)[], frame: Buffer, sendEach: () => void): void;
  /** Has a frame from the client arrive at the gateway. */
  receive(connection: OpenConnection, onArrival: () => void): void;
  /** Does something behind every frame that is under way: a close never overtakes one. */
  behind(connection: OpenConnection, act: () => void): void;
}

export interface ClientLinksOptions extends Pick<WebSocketApiOptions, "faults" | "clock"> {
  readonly service: string;
  readonly outbox: Outbox;
}

const AT_ONCE: Arrivals = [0];

export function createClientLinks({ service, outbox, faults, clock }: ClientLinksOptions): ClientLinks {
  const underWay = new Map<OpenConnection, Set<Promise<void>>>();

  function carry(connection: OpenConnection, kind: FrameKind, arrive: () => void): void {
    for (const arrivalMs of faults.frame?.(service, connection.id, kind) ?? AT_ONCE) {
      if (arrivalMs <= 0) arrive();
      else carryLate(connection, arrivalMs, arrive);
    }
  }

  function carryLate(connection: OpenConnection, arrivalMs: number, arrive: () => void): void {
    const frames = underWay.get(connection) ?? new Set();
    underWay.set(connection, frames);
    const arrival = clock.sleep(arrivalMs).then(() => {
      frames.delete(arrival);
      if (frames.size === 0) underWay.delete(connection);
      arrive();
    });
    frames.add(arrival);
  }

  /** Frames that faults befall travel singly: none is held up for others. */
  function write(connection: OpenConnection, frame: Buffer): void {
    outbox.put(connection, frame);
    outbox.flush(connection);
  }

  return {
    open({ id, socket }) {
      const cutMs = faults.cut?.(service, id);
      if (cutMs !== undefined) void clock.sleep(cutMs).then(() => socket.terminate());
    },
    send(connection, kind, frame) {
      if (faults.frame === undefined) outbox.put(connection, frame);
      else carry(connection, kind, () => write(connection, frame));
    },
    sendAll(list, frame, sendEach) {
      if (faults.frame === undefined) outbox.putAll(list, frame, sendEach);
      else sendEach();
    },
    receive(connection, onArrival) {
      if (faults.frame === undefined) onArrival();
      else carry(connection, "request", onArrival);
    },
    behind(connection, act) {
      const frames = underWay.get(connection);
      if (frames === undefined) act();
      else void Promise.all(frames).then(act);
    },
  };
}
