import type { Clock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import {
  createMemoryAppStore,
  createMemoryConnectionStore,
  createMemoryQueue,
  createMemoryTopicLog,
} from "@topicast/core/memory";
import type { Backend, Environment, ServicePorts } from "./backend.ts";
import type { ClosedDoors } from "./closed-doors.ts";
import { startEventSource } from "./event-source.ts";
import { createHostGateway, type HostGateway } from "./host-gateway.ts";
import type { GatewayLimits } from "./limits.ts";
import { createLocalGateway } from "./local-gateway.ts";
import { createRequestSigner } from "./request-signer.ts";
import { createSharedStores } from "./shared-stores.ts";

export interface EmbeddedBackendOptions {
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly region: string;
  readonly doors?: ClosedDoors;
  readonly log: (line: string) => void;
  readonly wrapPorts: (ports: EmbeddedPorts, service: string) => EmbeddedPorts;
}

/** Everything in this process, where handlers find it; or, as the settings say, what is kept in a Redis that several hosts share. */
export function createEmbeddedBackend(options: EmbeddedBackendOptions): Backend {
  const { clock, limits, region, doors, log, wrapPorts } = options;
  const sign = doors && createRequestSigner(doors.credentials, region);
  /** One for all services. */
  const apps = createMemoryAppStore({ clock });
  const shared = createSharedStores({ clock, doors, log });
  const gateways: HostGateway[] = [];
  return {
    async open({ definition: { name }, registry, gatewayEndpoint: address }) {
      const local = createLocalGateway(registry, limits);
      const own: ServicePorts = {
        address,
        apps,
        clock,
        connections: createMemoryConnectionStore({ clock }),
        log: createMemoryTopicLog({ clock }),
        queue: createMemoryQueue({ clock }),
        gateway: local,
      };
      const gateway = createHostGateway({ address, local, sign, clock, log });
      gateways.push(gateway);

      async function portsFor(settings: Environment): Promise<ServicePorts> {
        const stores = await shared.find(settings, name, new URL(address).host);
        return stores === undefined ? own : { ...own, ...stores, gateway };
      }

      return {
        async equip(settings) {
          const ports = await portsFor(settings);
          // What is in this process for handlers is memory to them, wherever it is kept, and whatever `serverless.yml` deploys with.
          return { environment: { ...settings, STORE: "memory" }, ports, offered: wrapPorts(ports, name) };
        },
        resolve: () => undefined,
        startEventSource: (target, source) =>
          startEventSource({ queue: own.queue, target, source, queueName: `${name}-queue`, region }),
      };
    },
    async close() {
      for (const gateway of gateways) gateway.stop();
      await shared.close();
    },
  };
}
