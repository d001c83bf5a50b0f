import type { WebSocket } from "ws";
import type { Arrivals, FrameKind } from "./faults.ts";
import type { WebSocketApiOptions } from "./web-socket-options.ts";

/** The network between the gateway and one client, on which only those faults happen that are asked for. */
export interface ClientLink {
  /** Sends a frame to the client. It is lost where the client is gone by the time that it would arrive. */
  send(kind: "post" | "reply", text: string): void;
  /** Has a frame from the client arrive at the gateway. */
  receive(onArrival: () => void): void;
  /** Does something behind every frame that is under way: a close never overtakes one. */
  behind(act: () => void): void;
}

const AT_ONCE: Arrivals = [0];

export function createClientLink(
  { address, faults, clock }: Pick<WebSocketApiOptions, "address" | "faults" | "clock">,
  connectionId: string,
  socket: WebSocket,
): ClientLink {
  const underWay = new Set<Promise<void>>();

  function carry(kind: FrameKind, arrive: () => void): void {
    for (const arrivalMs of faults.frame?.(address.stage, connectionId, kind) ?? AT_ONCE) {
      if (arrivalMs <= 0) arrive();
      else carryLate(arrivalMs, arrive);
    }
  }

  function carryLate(arrivalMs: number, arrive: () => void): void {
    const arrival = clock.sleep(arrivalMs).then(() => {
      underWay.delete(arrival);
      arrive();
    });
    underWay.add(arrival);
  }

  const cutMs = faults.cut?.(address.stage, connectionId);
  if (cutMs !== undefined) void clock.sleep(cutMs).then(() => socket.terminate());

  return {
    send(kind, text) {
      carry(kind, () => {
        if (socket.readyState === socket.OPEN) socket.send(text);
      });
    },
    receive(onArrival) {
      carry("request", onArrival);
    },
    behind(act) {
      if (underWay.size === 0) act();
      else void Promise.all(underWay).then(act);
    },
  };
}
