import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createGatewayId } from "./ids.ts";
import { readRequestOrigin } from "./request-origin.ts";
import { admit } from "./web-socket-connect.ts";
import { CLOSE_ABNORMAL, CLOSE_GOING_AWAY, LOST, openConnection } from "./web-socket-connection.ts";
import { createDisconnectEvent, type EventConnection } from "./web-socket-events.ts";
import { createUpgrader, isHandshake, refuseUpgrade } from "./web-socket-handshake.ts";
import { createMessageReceiver } from "./web-socket-messages.ts";
import type { WebSocketApiOptions } from "./web-socket-options.ts";

/** A service's WebSocket API, from the handshake to `$disconnect`. */
export interface WebSocketApi {
  /** Answers an upgrade request. Never rejects, unless an injected fault does. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Ends every connection with 1001; resolves when all `$disconnect` handlers are done. */
  close(): Promise<void>;
}

const MAX_SWEEP_INTERVAL_MS = 1_000;
const GOING_AWAY = "Going away";

export function createWebSocketApi(options: WebSocketApiOptions): WebSocketApi {
  const { address, registry, limits, faults, clock } = options;
  const upgrader = createUpgrader(limits.maxMessageBytes);
  const receive = createMessageReceiver(options);
  const { disconnect, settled } = createDisconnects(options);
  let closed = false;
  void sweep(options, () => closed);

  return {
    async upgrade(request, socket, head) {
      if (!isHandshake(request)) {
        return refuseUpgrade(socket, {
          status: 400,
          body: '{"message":"Bad Request"}',
          contentType: "application/json",
        });
      }
      const stranger = { id: createGatewayId(), connectedAt: clock.now(), ...readRequestOrigin(request) };
      const admission = await admit(options, stranger, request);
      if (!admission.admitted) return refuseUpgrade(socket, admission.refusal);
      const { authorizer } = admission;
      const connection: EventConnection = { ...stranger, ...(authorizer && { authorizer }) };
      await faults.handshake?.(address.stage, connection.id);
      const webSocket = closed ? undefined : upgrader.upgrade(request, socket, head, admission.subprotocol);
      if (webSocket !== undefined) {
        return openConnection(options, connection, webSocket, socket, { receive, onEnded: disconnect });
      }
      socket.destroy();
      disconnect(connection, CLOSE_ABNORMAL, LOST);
    },
    async close() {
      closed = true;
      for (const connection of registry.all()) connection.end(CLOSE_GOING_AWAY, GOING_AWAY);
      await settled();
    },
  };
}

/** Delivers `$disconnect`, best effort: a failure is in the log, and nothing repeats it. */
function createDisconnects({ address, routes, integrate, faults, clock }: WebSocketApiOptions) {
  const deliveries = new Set<Promise<void>>();
  return {
    disconnect(connection: EventConnection, code: number, reason: string): void {
      if (routes.disconnect === undefined || faults.disconnect?.(address.stage, connection.id)) return;
      const event = createDisconnectEvent(address, connection, clock.now(), code, reason);
      const delivery = integrate(routes.disconnect.function, event).then(() => void deliveries.delete(delivery));
      deliveries.add(delivery);
    },
    settled: () => Promise.all(deliveries),
  };
}

/** Ends connections that are idle or old. One loop for all of them: a timer each would cost memory for every idle client. */
async function sweep({ registry, limits, clock }: WebSocketApiOptions, isClosed: () => boolean): Promise<void> {
  const { idleTimeoutMs, connectionLifetimeMs } = limits;
  const intervalMs = Math.min(MAX_SWEEP_INTERVAL_MS, idleTimeoutMs / 10, connectionLifetimeMs / 10);
  while (!isClosed()) {
    await clock.sleep(intervalMs);
    const now = clock.now();
    for (const connection of registry.all()) {
      const isIdle = now - connection.lastActiveAt >= idleTimeoutMs;
      if (isIdle || now - connection.connectedAt >= connectionLifetimeMs) connection.end(CLOSE_GOING_AWAY, GOING_AWAY);
    }
  }
}
