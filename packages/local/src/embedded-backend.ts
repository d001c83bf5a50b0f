import type { Clock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import {
  createMemoryAppStore,
  createMemoryConnectionStore,
  createMemoryQueue,
  createMemoryTopicLog,
} from "@topicast/core/memory";
import type { Backend, ServicePorts } from "./backend.ts";
import { startEventSource } from "./event-source.ts";
import type { GatewayLimits } from "./limits.ts";
import { createLocalGateway } from "./local-gateway.ts";

export interface EmbeddedBackendOptions {
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly region: string;
  readonly wrapPorts: (ports: EmbeddedPorts, service: string) => EmbeddedPorts;
}

/** Everything in this process: memory drivers, which handlers find in theirs. */
export function createEmbeddedBackend(options: EmbeddedBackendOptions): Backend {
  const { clock, limits, region, wrapPorts } = options;
  /** One for all services. */
  const apps = createMemoryAppStore({ clock });
  return {
    async open({ definition: { name }, registry }) {
      const ports: ServicePorts = {
        apps,
        clock,
        connections: createMemoryConnectionStore({ clock }),
        log: createMemoryTopicLog({ clock }),
        queue: createMemoryQueue({ clock }),
        gateway: createLocalGateway(registry, limits),
      };
      return {
        equip: async (settings) => ({
          // Whatever `serverless.yml` deploys with.
          environment: { STORE: "memory", ...settings },
          ports,
          offered: wrapPorts(ports, name),
        }),
        resolve: () => undefined,
        startEventSource: (target, source) =>
          startEventSource({ queue: ports.queue, target, source, queueName: `${name}-queue`, region }),
      };
    },
    async close() {},
  };
}
