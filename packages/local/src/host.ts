import type { Backend, ServicePorts } from "./backend.ts";
import { APPLICATIONS, createDefaultApplication, type HostKeys } from "./closed-doors.ts";
import { ANY_CREDENTIALS, type Credentials } from "./credentials.ts";
import { createEmbeddedBackend } from "./embedded-backend.ts";
import { type HostOptions, readSettings, type Settings } from "./host-options.ts";
import { listen } from "./http-server.ts";
import { type ReleaseSettings, readReleases } from "./releases.ts";
import { createReload, type Reload } from "./reload.ts";
import { createSignatureVerifier, type SignatureVerifier } from "./request-signature.ts";
import { routeRequests } from "./router.ts";
import { sdkStub } from "./sdk-stub.ts";
import { createService, type Release, type Service } from "./service.ts";
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
  /**
   * Gives every handler new settings, and its code anew where that has changed; what isn't given stays. Connections, queues, routes and timeouts stay too, and
   * so does what closes the doors. Invocations that run end as they began. Throws a `StartError` where a handler can't have them: then all stays as it was.
   */
  readonly reload: Reload;
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

/** Serves services on one port. Throws a `StartError` where a service is broken or the port is taken. */
export async function startHost(options: HostOptions): Promise<Host> {
  const settings = readSettings(options);
  const plugins = options.wire === undefined ? [sdkStub] : [];
  const release = (given: ReleaseSettings) => readReleases(options.services, given, plugins);
  const releases = await release(settings);
  const backend = await startBackend(options, settings);
  try {
    return await serve({ ...settings, backend }, releases, release);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function serve(
  settings: Settings & { readonly backend: Backend | WireBackend },
  releases: readonly Release[],
  release: (given: ReleaseSettings) => Promise<readonly Release[]>,
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
    for (const each of releases) {
      const service = await createService({ ...settings, ...verifier, ...each, domainName, port });
      services.push(service);
      service.warm();
    }
    routeRequests(http.server, services, domainName, settings.log);
    if (doors !== undefined) {
      const apps = services.find(({ name }) => name === APPLICATIONS)?.ports()?.apps;
      keys = { operator: doors.operator, application: await createDefaultApplication(url, doors, apps) };
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
    reload: createReload({ services, settings, readReleases: release }),
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
  const ports = service.ports();
  if (ports === undefined) throw new Error(`over the wire "${name}" has no ports in this process`);
  return ports;
}

/** By the system's time, whatever the host's clock says: so do the SDK clients that sign. */
function createVerifier({ doors, region }: Settings): { readonly signatures?: SignatureVerifier } {
  if (doors === undefined) return {};
  return { signatures: createSignatureVerifier({ credentials: doors.credentials, region, now: Date.now }) };
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
