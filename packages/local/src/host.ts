import type { Backend, ServicePorts } from "./backend.ts";
import { type Bundle, bundleFunctions } from "./bundle.ts";
import { APPLICATIONS, APPLICATIONS_FOLDER, createDefaultApplication, type HostKeys } from "./closed-doors.ts";
import { ANY_CREDENTIALS, type Credentials } from "./credentials.ts";
import { createEmbeddedBackend } from "./embedded-backend.ts";
import { type HostOptions, readSettings, type Settings } from "./host-options.ts";
import { listen } from "./http-server.ts";
import { createSignatureVerifier, type SignatureVerifier } from "./request-signature.ts";
import { routeRequests } from "./router.ts";
import { sdkStub } from "./sdk-stub.ts";
import { createService, type Service } from "./service.ts";
import { readServiceDefinition, type ServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";
import { startWireBackend, type Wire, type WireBackend } from "./wire/backend.ts";

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
  /** How many connections were closed with 1008 because their clients didn't read. */
  slowReaders(): number;
  /** Present where the host runs over the wire. */
  readonly wire?: Wire;
  /** Present where its doors are closed. */
  readonly keys?: HostKeys;
  /** The same: those that `@connections` takes signatures of. */
  readonly credentials?: Credentials;
  /** Closes every socket with 1001, gives handlers half a second, and stops everything. */
  close(): Promise<void>;
}

/** Serves services on one port. Throws a {@link StartError} where a service is broken or the port is taken. */
export async function startHost(options: HostOptions): Promise<Host> {
  const settings = readSettings(options);
  const definitions = await readDefinitions(options, settings);
  const plugins = options.wire === undefined ? [sdkStub] : [];
  const bundles = await Promise.all(definitions.map((definition) => bundleFunctions(definition, plugins)));
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
  const { backend, doors } = settings;
  const http = await listen({ ...settings, maxHeaderBytes: settings.limits.maxHeaderBytes });
  const { port, domainName } = http;
  const url = `http://${domainName}`;
  const verifier = createVerifier(settings);
  const services: Service[] = [];
  let keys: HostKeys | undefined;
  async function stop(): Promise<void> {
    await http.drain(() => Promise.all(services.map((service) => service.disconnectAll())));
    for (const service of services) service.stop();
    await http.end();
  }
  try {
    for (const [at, definition] of definitions.entries()) {
      const address = { domainName, port };
      const environment = { ...settings.environment, ...doors?.environmentOf(definition.name) };
      const parts = { ...settings, ...address, ...verifier, environment, definition };
      const service = await createService({ ...parts, bundles: bundles[at] ?? new Map() });
      services.push(service);
      service.warm();
    }
    routeRequests(http.server, services, domainName, settings.log);
    if (doors !== undefined) {
      keys = { operator: doors.operator, application: await createDefaultApplication(url, doors) };
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    port,
    services: services.map((service) => describeService(service, domainName)),
    ports: (name) => portsOf(services, name),
    slowReaders: () => services.reduce((sum, service) => sum + service.slowReaders(), 0),
    ...("wire" in backend ? { wire: backend.wire } : {}),
    ...(doors && keys && { keys, credentials: doors.credentials }),
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

/** By the system's time, whatever the host's clock says: so do the SDK clients that sign. */
function createVerifier({ doors, region }: Settings): { readonly signatures?: SignatureVerifier } {
  if (doors === undefined) return {};
  return { signatures: createSignatureVerifier({ credentials: doors.credentials, region, now: Date.now }) };
}

async function readDefinitions(
  { services }: HostOptions,
  { environment, doors }: Settings,
): Promise<ServiceDefinition[]> {
  const env = { ...process.env, ...environment, ...doors?.environmentOf(APPLICATIONS) };
  const named = await Promise.all(services.map((folder) => readServiceDefinition(folder, env)));
  const isMissing = doors !== undefined && !named.some(({ name }) => name === APPLICATIONS);
  const definitions = isMissing ? [...named, await readServiceDefinition(APPLICATIONS_FOLDER, env)] : named;
  const names = definitions.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  const unfit = names.find((name) => !/^[\w.-]+$/.test(name));
  if (unfit !== undefined)
    throw new StartError(`"${unfit}" can't be a path; rename the folder to letters, digits and "-"`);
  if (twice !== undefined) throw new StartError(`Two services are called "${twice}"; rename one of the folders`);
  return definitions;
}

async function startBackend(options: HostOptions, settings: Settings): Promise<Backend | WireBackend> {
  if (options.wire !== undefined)
    return startWireBackend({
      ...settings,
      credentials: settings.doors?.credentials ?? ANY_CREDENTIALS,
      ...options.wire,
    });
  return createEmbeddedBackend({ ...settings, wrapPorts: options.ports ?? ((ports) => ports) });
}

function describeService({ name, hasWebSocketApi, hasHttpApi }: Service, domainName: string): HostedService {
  return {
    name,
    ...(hasWebSocketApi ? { webSocketUrl: `ws://${domainName}/${name}` } : {}),
    ...(hasHttpApi ? { httpUrl: `http://${domainName}/${name}` } : {}),
  };
}
