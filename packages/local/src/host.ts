import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import { bundleFunctions } from "./bundle.ts";
import type { HostFaults } from "./faults.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { routeRequests } from "./router.ts";
import { createService, type Service, type ServiceOptions, type ServicePorts } from "./service.ts";
import { readServiceDefinition, type ServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";

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
  /** Wraps what is offered to the handlers of a service. */
  readonly ports?: (ports: EmbeddedPorts, service: string) => EmbeddedPorts;
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
  /** The ports of a service as the host made them; throws where there is no such service. */
  ports(service: string): ServicePorts;
  /** Closes every socket with 1001, gives handlers half a second, and stops everything. */
  close(): Promise<void>;
}

export const DEFAULT_PORT = 4_000;
export const DEFAULT_HOSTNAME = "127.0.0.1";
const CLOSE_GRACE_MS = 500;

/** Embedded drivers, whatever `serverless.yml` deploys with. */
const LOCAL_ENVIRONMENT = { STORE: "memory" };

/** The system's time. Its sleeps hold no process open: a host that listens does that, and one that is closed must not. */
const hostClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref()),
};

/** Serves services on one port. Throws a {@link StartError} where a service is broken or the port is taken. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { port = DEFAULT_PORT, hostname = DEFAULT_HOSTNAME } = options;
  const definitions = await readDefinitions(options);
  const bundles = await Promise.all(definitions.map(bundleFunctions));
  const server = createServer();
  const sockets = trackSockets(server);
  await listen(server, port, hostname);
  const address = server.address() as AddressInfo;
  const domainName = `${nameOf(hostname)}:${address.port}`;
  const shared = { ...shareOptions(options), domainName, port: address.port };
  const services = definitions.map((definition, at) =>
    createService({ ...shared, definition, bundles: bundles[at] ?? new Map() }),
  );
  try {
    for (const service of services) service.warm();
  } catch (error) {
    await closeHost(server, sockets, services);
    throw error;
  }
  routeRequests(server, services, domainName, shared.log);
  return {
    url: `http://${domainName}`,
    port: address.port,
    services: services.map((service) => describeService(service, domainName)),
    ports(name) {
      const service = services.find((candidate) => candidate.name === name);
      if (service === undefined) throw new Error(`there is no service "${name}"`);
      return service.ports;
    },
    close: () => closeHost(server, sockets, services),
  };
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

function shareOptions(options: HostOptions): Omit<ServiceOptions, "definition" | "bundles" | "domainName" | "port"> {
  return {
    hostEnvironment: process.env,
    environment: { ...LOCAL_ENVIRONMENT, ...options.environment },
    clock: options.clock ?? hostClock,
    limits: { ...GATEWAY_LIMITS, ...options.limits },
    faults: options.faults ?? {},
    wrapPorts: options.ports ?? ((ports) => ports),
    log: options.log ?? ((line) => void process.stderr.write(`${line}\n`)),
  };
}

function listen(server: Server, port: number, hostname: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(new StartError(describe(cause), { cause })));
    server.listen(port, hostname, () => resolve());
  });

  function describe({ code, message }: NodeJS.ErrnoException): string {
    if (code === "EADDRINUSE") return `Port ${port} is taken; stop what uses it, or choose another with --port`;
    if (code === "EACCES")
      return `Port ${port} needs more rights than this user has; choose one above 1023 with --port`;
    return `Can't listen on ${hostname}, port ${port}: ${message}`;
  }
}

/** What reaches a host that listens on `hostname`; "everything" is no address to connect to. */
function nameOf(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::") return "localhost";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function describeService({ name, hasWebSocketApi, hasHttpApi }: Service, domainName: string): HostedService {
  return {
    name,
    ...(hasWebSocketApi ? { webSocketUrl: `ws://${domainName}/${name}` } : {}),
    ...(hasHttpApi ? { httpUrl: `http://${domainName}/${name}` } : {}),
  };
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

async function closeHost(server: Server, sockets: ReadonlySet<Socket>, services: readonly Service[]): Promise<void> {
  const drained = new Promise<void>((resolve) => void server.close(() => resolve()));
  const goodbye = Promise.all([drained, ...services.map((service) => service.disconnectAll())]);
  let timer: NodeJS.Timeout | undefined;
  // Not the injected clock: that may stand still while a client or a handler hangs.
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_GRACE_MS);
  });
  await Promise.race([goodbye, grace]);
  clearTimeout(timer);
  for (const service of services) service.stop();
  for (const socket of sockets) socket.destroy();
  await drained;
}
