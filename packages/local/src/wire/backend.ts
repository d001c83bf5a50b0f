import type { Backend, OpenOptions, ServiceBackend } from "../backend.ts";
import type { ConnectionRegistry } from "../connection-registry.ts";
import type { Credentials } from "../credentials.ts";
import type { HostFaults } from "../faults.ts";
import type { QueueSource } from "../service-definition.ts";
import { StartError } from "../start-error.ts";
import { createWireMeter, type WireCounts } from "./counts.ts";
import { createHandlerEnvironment } from "./environment.ts";
import { startSqsEventSource, type WireQueue } from "./event-source.ts";
import { startInfrastructure } from "./infrastructure.ts";
import { type MadeResources, makeResources } from "./resources.ts";

export interface WireOptions {
  /** Whole seconds, over what `serverless.yml` says, for every queue: a test won't wait for minutes. */
  readonly visibilityTimeoutSeconds?: number;
}

/** What there is to know of a host that runs over the wire. */
export interface Wire {
  readonly region: string;
  /** Where DynamoDB and SQS answer: handlers, and any other SDK client. */
  readonly dynamodbUrl: string;
  readonly sqsUrl: string;
  /** The name of a service's table or the address of its queue, by logical id. Throws where there is none. */
  ref(service: string, logicalId: string): string;
  counts(): WireCounts;
}

export interface WireBackend extends Backend {
  readonly wire: Wire;
}

export interface WireBackendOptions extends WireOptions {
  /** What the resources say they are in. */
  readonly region: string;
  /** What handlers sign their requests with. */
  readonly credentials: Credentials;
  readonly faults: HostFaults;
  readonly log: (line: string) => void;
}

/** DynamoDB, SQS and `@connections` over their real protocols, for the real SDK clients. What they hold is lost with the host. */
export async function startWireBackend(options: WireBackendOptions): Promise<WireBackend> {
  const { faults, log, region, credentials, visibilityTimeoutSeconds } = options;
  const meter = createWireMeter();
  const infrastructure = await startInfrastructure({ region, meter, faults, log });
  const { dynamodbUrl, sqsUrl, deployment, sqs } = infrastructure;
  const visibility = visibilityTimeoutSeconds === undefined ? {} : { visibilityTimeoutSeconds };
  const stops: (() => void)[] = [];
  const opened = new Map<string, { readonly made: MadeResources; readonly registry: ConnectionRegistry }>();

  return {
    async open({ definition, registry, gatewayEndpoint }: OpenOptions): Promise<ServiceBackend> {
      const made = await makeResources(definition, { ...deployment, queueOrigin: sqsUrl, region, ...visibility });
      opened.set(definition.name, { made, registry });
      const environment = createHandlerEnvironment({ region, credentials, dynamodbUrl, sqsUrl, gatewayEndpoint });
      return {
        equip: async (settings) => ({ environment: { ...environment, ...settings } }),
        resolve: made.resolve,
        startEventSource(target, source) {
          const queue = findQueue(source, made, `${definition.name}/${target.definition.name}`);
          const stop = startSqsEventSource({ sqs, queue, region, target, source });
          stops.push(stop);
          return stop;
        },
      };
    },

    wire: {
      region,
      dynamodbUrl,
      sqsUrl,
      ref(service, logicalId) {
        const value = opened.get(service)?.made.resolve({ logicalId });
        if (value === undefined) throw new Error(`"${service}" has no table or queue "${logicalId}"`);
        return value;
      },
      counts() {
        const posts = [...opened.values()].reduce((sum, { registry }) => sum + registry.posts, 0);
        return { ...meter.read(), posts };
      },
    },

    close() {
      for (const stop of stops) stop();
      return infrastructure.close();
    },
  };
}

function findQueue({ queueId: logicalId = "" }: QueueSource, made: MadeResources, target: string): WireQueue {
  const url = made.resolve({ logicalId, attribute: "QueueUrl" });
  const arn = made.resolve({ logicalId, attribute: "Arn" });
  if (url !== undefined && arn !== undefined) return { url, arn };
  throw new StartError(`${target}: its event source is no queue of resources; name one with arn: !GetAtt Queue.Arn`);
}
