import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "@topicast/core";
import type { Backend, Environment, ServiceBackend, ServicePorts } from "./backend.ts";
import { createClientLinks } from "./client-links.ts";
import { createConnectionRegistry } from "./connection-registry.ts";
import type { HostFaults } from "./faults.ts";
import { createFunctions, type Deployment } from "./functions.ts";
import { createHttpApi } from "./http-api.ts";
import { apiIdOf } from "./ids.ts";
import { createIntegration } from "./integration.ts";
import type { LambdaFunction, Replacement } from "./lambda-function.ts";
import type { GatewayLimits } from "./limits.ts";
import { answerManagement } from "./management-api.ts";
import { createOutbox } from "./outbox.ts";
import type { SignatureVerifier } from "./request-signature.ts";
import { createWebSocketApi } from "./web-socket-api.ts";
import { createWebSocketRoutes } from "./web-socket-routes.ts";

/** One service: its functions, and the APIs and queue that call them. */
export interface Service {
  readonly name: string;
  readonly hasWebSocketApi: boolean;
  readonly hasHttpApi: boolean;
  /** Those that the functions have now, before anyone wrapped them; absent over the wire. */
  ports(): ServicePorts | undefined;
  /** Evaluates every handler. Throws a `StartError` for the first that can't be: its environment may be wrong. */
  warm(): void;
  /**
   * Evaluates every handler anew, for a new environment and new code; its connections, its queue, its routes and its timeouts stay. Throws a `StartError` as
   * {@link warm} does, and where the backend can't serve such settings.
   */
  prepare(release: Release): Promise<Replacement>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Answers a request; `path` is what follows the service's name, as it was sent. */
  answer(request: IncomingMessage, response: ServerResponse, path: string, rawQuery: string): Promise<void>;
  /** Ends the connections with 1001; resolves when their `$disconnect` handlers are done. */
  disconnectAll(): Promise<void>;
  /** How many connections were closed because their clients didn't read. */
  slowReaders(): number;
  /** Freezes the functions for good. */
  stop(): void;
}

/** What of a service may change while it runs. */
export interface Release extends Omit<Deployment, "equipment"> {
  /** What every function sees, over what `serverless.yml` says. */
  readonly environment: Environment;
}

export interface ServiceOptions extends Release {
  readonly domainName: string;
  readonly port: number;
  readonly region: string;
  /** Absent where anyone may call `@connections`. */
  readonly signatures?: SignatureVerifier;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly faults: HostFaults;
  readonly log: (line: string) => void;
}

const MANAGEMENT_PATH = "/@connections";

/** Throws a `StartError` where the backend can't serve it. */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { definition, clock, limits, faults, domainName, port, region } = options;
  const { name } = definition;
  const outbox = createOutbox();
  const links = createClientLinks({ service: name, outbox, faults, clock });
  const registry = createConnectionRegistry({ service: name, limits, faults, clock, links, outbox });
  const gatewayEndpoint = `http://${domainName}/${name}`;
  const backend = await options.backend.open({ definition, registry, gatewayEndpoint });
  let equipment = await backend.equip(options.environment);
  const functions = createFunctions({ ...options, backend, equipment });
  const integrate = createIntegration(clock, limits.integrationTimeoutMs);
  const routes = createWebSocketRoutes(functions.all, definition.routeSelectionPath);
  const address = { domainName, port, stage: name, apiId: apiIdOf(`${domainName}/${name}`), region };
  const webSocketApi = createWebSocketApi({ ...options, address, routes, registry, links, outbox, integrate });
  const httpApi = createHttpApi({ address, functions: functions.all, integrate, limits, clock });
  const stopSources = startEventSources(functions.all, backend);
  const { host } = new URL(gatewayEndpoint);
  const management = { host, registry, limits, ...(options.signatures && { signatures: options.signatures }) };
  const hasWebSocketApi = definition.functions.some(({ webSocketRoutes }) => webSocketRoutes.length > 0);

  return {
    name,
    hasWebSocketApi,
    hasHttpApi: definition.functions.some(({ httpRouteKeys }) => httpRouteKeys.length > 0),
    ports: () => equipment.ports,
    warm: functions.warm,
    async prepare(release) {
      const next = await backend.equip(release.environment);
      const { take, drop } = await functions.prepare({ ...release, equipment: next });
      return {
        take() {
          equipment = next;
          take();
        },
        drop,
      };
    },
    upgrade: webSocketApi.upgrade,
    answer(request, response, path, rawQuery) {
      const id = path === MANAGEMENT_PATH ? undefined : path.slice(MANAGEMENT_PATH.length + 1);
      if (!hasWebSocketApi || (id !== undefined && !path.startsWith(`${MANAGEMENT_PATH}/`)))
        return httpApi.answer(request, response, path, rawQuery);
      return answerManagement(request, response, id, management);
    },
    disconnectAll: webSocketApi.close,
    slowReaders: () => registry.slowReaders,
    stop() {
      for (const stopSource of stopSources) stopSource();
      functions.close();
    },
  };
}

function startEventSources(functions: readonly LambdaFunction[], backend: ServiceBackend): (() => void)[] {
  return functions.flatMap((target) =>
    target.definition.queueSources.map((source) => backend.startEventSource(target, source)),
  );
}
