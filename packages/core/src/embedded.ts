import type { Clock } from "./clock.ts";
import type { AppStore } from "./ports/app-store.ts";
import type { Ports } from "./ports/ports.ts";

/** What a host offers to the handlers that run in its own process, in place of DynamoDB, SQS, API Gateway, and the time of day. */
export interface EmbeddedPorts extends Ports {
  readonly apps: AppStore;
  readonly clock: Clock;
  /** Where the host holds the service's connections: the management endpoint of its API. */
  readonly address: string;
}

/**
 * Under this key of the `process` that a handler sees, the host puts its {@link EmbeddedPorts}. A handler's bundle shares no module with
 * the host, so they meet where a Lambda meets its platform: in the process.
 */
export const EMBEDDED_PORTS = Symbol.for("topicast.embedded-ports");

/** The ports of the host that runs this handler. Throws where there is no such host. */
export function embeddedPorts(): EmbeddedPorts {
  const ports = (process as unknown as Record<symbol, EmbeddedPorts | undefined>)[EMBEDDED_PORTS];
  if (ports === undefined) {
    throw new Error("STORE=memory works only inside the local host (npm start). Choose another STORE.");
  }
  return ports;
}
