import type { Clock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import type { Backend, ServicePorts } from "./backend.ts";
import { type Bundle, bundleFunctions } from "./bundle.ts";
import { createEmbeddedBackend } from "./embedded-backend.ts";
import type { HostFaults } from "./faults.ts";
import { listen } from "./http-server.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { routeRequests } from "./router.ts";
import { sdkStub } from "./sdk-stub.ts";
import { createService, type Service } from "./service.ts";
import { readServiceDefinition, type ServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";
import { startWireBackend, type Wire, type WireBackend, type WireOptions } from "./wire/backend.ts";

export interface HostOptions {
  /** Folders with a `serverless.yml`; the folder's name is the service's path. */
  readonly services: readonly string[];
  /** Default 4000; 0 picks a free one. */
  readonly port?: number;
  /** What to listen on. Default 127.0.0.1: this machine only. */
  readonly hostname?: string;
  /** Over the environment in `serverless.yml`, for every function. */
  readonly environment?: Readonly<Record<string, string>>;
  /** For the gateway's and the queues' timeouts and for every time in events. */
  readonly clock?: Clock;
  readonly limits?: Partial<GatewayLimits>;
  /**
   * Has handlers speak to DynamoDB, SQS and `@connections` over the wire, by their SDK clients, instead of in this process. The queues keep
   * the system's time then.
   */
  readonly wire?: WireOptions;
  /** Wraps what is offered to the handlers of a service in this process. */
  readonly ports?: (ports: EmbeddedPorts, service: string) => EmbeddedPorts;
  /** What goes wrong on purpose; `parseChaos` gives those of a bad network. */
  readonly faults?: HostFaults;
  /** Where failures of handlers are reported. Default: stderr. */
  readonly log?: (line: string) => void;
}

export interface HostedService {
  readonly name: string;
  readonly webSocketUrl?: string;
  readonly httpUrl?: string;
}

export interface Host {
  readonly url: string;
  readonly port: number;
  readonly services: readonly HostedService[];
  /** The ports of a service as the host made them; throws where there is no such service, and over the wire, where it has none. */
  ports(service: string): ServicePorts;
  /** Present where the host runs over the wire. */
  readonly wire?: Wire;
  /** Closes every socket with 1001, gives handlers half a second, and stops everything. */
  close(): Promise<void>;
}

export const DEFAULT_PORT = 4_000;
export const DEFAULT_HOSTNAME = "127.0.0.1";

/** The system's time. Its sleeps hold no process open: a host that listens does that, and one that is closed must not. */
const hostClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref()),
};

/** Serves services on one port. Throws a {@link StartError} where a service is broken or the port is taken. */
export async function startHost(options: HostOptions): Promise<Host> {
  const definitions = await readDefinitions(options);
  const plugins = options.wire === undefined ? [sdkStub] : [];
  const bundles = await Promise.all(definitions.map((definition) => bundleFunctions(definition, plugins)));
  const settings = readSettings(options);
  const backend = await startBackend(options, settings);
  try {
    return await serve({ ...settings, backend }, definitions, bundles);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function serve(
  settings: Settings & { readonly backend: Backend | WireBackend },
  definitions: readonly ServiceDefinition[],
  bundles: readonly ReadonlyMap<string, Bundle>[],
): Promise<Host> {
  const { backend } = settings;
  const http = await listen(settings.port, settings.hostname);
  const { port, domainName } = http;
  const services: Service[] = [];
  async function stop(): Promise<void> {
    await http.drain(() => Promise.all(services.map((service) => service.disconnectAll())));
    for (const service of services) service.stop();
    await http.end();
  }
  try {
    for (const [at, definition] of definitions.entries()) {
      const address = { domainName, port };
      const service = await createService({ ...settings, ...address, definition, bundles: bundles[at] ?? new Map() });
      services.push(service);
      service.warm();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  routeRequests(http.server, services, domainName, settings.log);
  return {
    url: `http://${domainName}`,
    port,
    services: services.map((service) => describeService(service, domainName)),
    ports: (name) => portsOf(services, name),
    ...("wire" in backend ? { wire: backend.wire } : {}),
    async close() {
      await stop();
      await backend.close();
    },
  };
}

function portsOf(services: readonly Service[], name: string): ServicePorts {
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`there is no service "${name}"`);
  if (service.ports === undefined) throw new Error(`over the wire "${name}" has no ports in this process`);
  return service.ports;
}

async function readDefinitions({ services, environment }: HostOptions): Promise<ServiceDefinition[]> {
  const env = { ...process.env, ...environment };
  const definitions = await Promise.all(services.map((folder) => readServiceDefinition(folder, env)));
  const names = definitions.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  const unfit = names.find((name) => !/^[\w.-]+$/.test(name));
  if (unfit !== undefined)
    throw new StartError(`"${unfit}" can't be a path; rename the folder to letters, digits and "-"`);
  if (twice !== undefined) throw new StartError(`Two services are called "${twice}"; rename one of the folders`);
  return definitions;
}

/** The options that have defaults, with those. */
type Settings = Required<Pick<HostOptions, "port" | "hostname" | "environment" | "clock" | "faults" | "log">> & {
  readonly limits: GatewayLimits;
};

function readSettings(options: HostOptions): Settings {
  return {
    port: options.port ?? DEFAULT_PORT,
    hostname: options.hostname ?? DEFAULT_HOSTNAME,
    // Doors are open unless somebody asks for more.
    environment: { OPEN: "yes", ...options.environment },
    clock: options.clock ?? hostClock,
    limits: { ...GATEWAY_LIMITS, ...options.limits },
    faults: options.faults ?? {},
    log: options.log ?? ((line) => void process.stderr.write(`${line}\n`)),
  };
}

async function startBackend(options: HostOptions, settings: Settings): Promise<Backend | WireBackend> {
  if (options.wire !== undefined)
    return startWireBackend({ ...settings, ...options.wire, region: process.env.AWS_REGION });
  return createEmbeddedBackend({ ...settings, wrapPorts: options.ports ?? ((ports) => ports) });
}

function describeService({ name, hasWebSocketApi, hasHttpApi }: Service, domainName: string): HostedService {
  return {
    name,
    ...(hasWebSocketApi ? { webSocketUrl: `ws://${domainName}/${name}` } : {}),
    ...(hasHttpApi ? { httpUrl: `http://${domainName}/${name}` } : {}),
  };
}
