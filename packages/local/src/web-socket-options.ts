import type { Clock } from "@topicast/core";
import type { ClientLinks } from "./client-links.ts";
import type { ConnectionRegistry } from "./connection-registry.ts";
import type { HostFaults } from "./faults.ts";
import type { Integration } from "./integration.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { WebSocketApiAddress } from "./web-socket-events.ts";
import type { WebSocketRoutes } from "./web-socket-routes.ts";

/** What all parts of a service's WebSocket API share. */
export interface WebSocketApiOptions {
  readonly address: WebSocketApiAddress;
  readonly routes: WebSocketRoutes;
  readonly registry: ConnectionRegistry;
  readonly links: ClientLinks;
  readonly outbox: Outbox;
  readonly integrate: Integration;
  readonly limits: GatewayLimits;
  readonly faults: HostFaults;
  readonly clock: Clock;
  /** Takes one line about what a service did wrong. */
  readonly log: (line: string) => void;
}
