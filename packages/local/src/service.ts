import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "@topicast/core";
import type { Backend, Environment, ServiceBackend, ServicePorts } from "./backend.ts";
import type { Bundle } from "./bundle.ts";
import { createClientLinks } from "./client-links.ts";
import { createConnectionRegistry } from "./connection-registry.ts";
import type { HostFaults } from "./faults.ts";
import { createHttpApi } from "./http-api.ts";
import { apiIdOf } from "./ids.ts";
import { createIntegration } from "./integration.ts";
import { createLambdaFunction, type LambdaFunction } from "./lambda-function.ts";
import type { GatewayLimits } from "./limits.ts";
import { answerManagement } from "./management-api.ts";
import { createOutbox } from "./outbox.ts";
import type { SignatureVerifier } from "./request-signature.ts";
import type { FunctionDefinition, ServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";
import { createWebSocketApi } from "./web-socket-api.ts";
import { UNAUTHORIZED } from "./web-socket-authorizer.ts";
import { createWebSocketRoutes } from "./web-socket-routes.ts";

/** One service: its functions, and the APIs and queue that call them. */
export interface Service {
  readonly name: string;
  readonly hasWebSocketApi: boolean;
  readonly hasHttpApi: boolean;
  /** Absent over the wire. */
  readonly ports?: ServicePorts;
  /** Evaluates every handler. Throws a {@link StartError} for the first that can't be: its environment may be wrong. */
  warm(): void;
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

export interface ServiceOptions {
  readonly definition: ServiceDefinition;
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly domainName: string;
  readonly port: number;
  /** What every function sees, over what `serverless.yml` says. */
  readonly environment: Environment;
  readonly region: string;
  /** Absent where anyone may call `@connections`. */
  readonly signatures?: SignatureVerifier;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly faults: HostFaults;
  readonly log: (line: string) => void;
}

const MANAGEMENT_PATH = "/@connections/";

/** Throws a {@link StartError} where the backend can't serve it. */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { definition, clock, limits, faults, domainName, port, region } = options;
  const { name } = definition;
  const outbox = createOutbox();
  const links = createClientLinks({ service: name, outbox, faults, clock });
  const registry = createConnectionRegistry({ service: name, limits, faults, clock, links, outbox });
  const gatewayEndpoint = `http://${domainName}/${name}`;
  const backend = await options.backend.open({ definition, registry, gatewayEndpoint });
  const functions = createFunctions(options, backend);
  const integrate = createIntegration(clock, limits.integrationTimeoutMs);
  const routes = createWebSocketRoutes(functions, definition.routeSelectionPath);
  const address = { domainName, port, stage: name, apiId: apiIdOf(`${domainName}/${name}`), region };
  const webSocketApi = createWebSocketApi({ ...options, address, routes, registry, links, outbox, integrate });
  const httpApi = createHttpApi({ address, functions, integrate, limits, clock });
  const stopSources = startEventSources(functions, backend);
  const management = { registry, limits, ...(options.signatures && { signatures: options.signatures }) };
  const hasWebSocketApi = definition.functions.some(({ webSocketRoutes }) => webSocketRoutes.length > 0);

  return {
    name,
    hasWebSocketApi,
    hasHttpApi: definition.functions.some(({ httpRouteKeys }) => httpRouteKeys.length > 0),
    ...(backend.ports === undefined ? {} : { ports: backend.ports }),
    warm() {
      for (const lambdaFunction of functions) warm(name, lambdaFunction);
    },
    upgrade: webSocketApi.upgrade,
    answer(request, response, path, rawQuery) {
      if (!hasWebSocketApi || !path.startsWith(MANAGEMENT_PATH))
        return httpApi.answer(request, response, path, rawQuery);
      return answerManagement(request, response, path.slice(MANAGEMENT_PATH.length), management);
    },
    disconnectAll: webSocketApi.close,
    slowReaders: () => registry.slowReaders,
    stop() {
      for (const stopSource of stopSources) stopSource();
      for (const lambdaFunction of functions) lambdaFunction.close();
    },
  };
}

function warm(service: string, lambdaFunction: LambdaFunction): void {
  try {
    lambdaFunction.warm();
  } catch (cause) {
    // By shape: what a bundle throws need not be of the host's classes.
    const message = typeof cause === "object" && cause !== null && "message" in cause ? cause.message : cause;
    throw new StartError(`${service}/${lambdaFunction.definition.name} can't start: ${message}`, { cause });
  }
}

function createFunctions(options: ServiceOptions, backend: ServiceBackend): LambdaFunction[] {
  const { definition: service, bundles, clock, log, region } = options;
  const offered = backend.offered === undefined ? {} : { ports: backend.offered };
  const routes = service.functions.flatMap(({ webSocketRoutes }) => webSocketRoutes);
  const authorizers = new Set(routes.map(({ authorizer }) => authorizer?.name));
  return service.functions.flatMap((definition) => {
    const bundle = bundles.get(definition.name);
    if (bundle === undefined) return [];
    const environment = {
      ...definition.environment,
      ...fillIn(definition, backend),
      ...backend.environment,
      ...options.environment,
    };
    const expectedErrors = authorizers.has(definition.name) ? [UNAUTHORIZED] : [];
    const parts = { service, definition, bundle, ...offered, environment, region, expectedErrors, clock, log };
    return [createLambdaFunction(parts)];
  });
}

function fillIn({ references }: FunctionDefinition, backend: ServiceBackend): Environment {
  const values = Object.entries(references).flatMap(([name, reference]) => {
    const value = backend.resolve(reference);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(values);
}

function startEventSources(functions: readonly LambdaFunction[], backend: ServiceBackend): (() => void)[] {
  return functions.flatMap((target) =>
    target.definition.queueSources.map((source) => backend.startEventSource(target, source)),
  );
}
