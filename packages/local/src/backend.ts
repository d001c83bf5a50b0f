import type { EmbeddedPorts } from "@topicast/core/embedded";
import type { MemoryQueue } from "@topicast/core/memory";
import type { ConnectionRegistry } from "./connection-registry.ts";
import type { LambdaFunction } from "./lambda-function.ts";
import type { ResourceReference } from "./resource-reference.ts";
import type { QueueSource, ServiceDefinition } from "./service-definition.ts";

/** The ports of one service; they outlive every execution environment. */
export type ServicePorts = EmbeddedPorts & { readonly queue: MemoryQueue };

/** Environment variables; one that is undefined is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What stands in for DynamoDB, SQS and API Gateway, for all services of a host. */
export interface Backend {
  /** Makes what a service keeps its state in. Throws a `StartError` where its resources are wrong. */
  open(options: OpenOptions): Promise<ServiceBackend>;
  /** Ends all that was opened. */
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly definition: ServiceDefinition;
  readonly registry: ConnectionRegistry;
  /** The service's management API. */
  readonly gatewayEndpoint: string;
}

/** What the functions of a service are given. */
export interface Equipment {
  /** What they find in their environment over what the service's `serverless.yml` says: the settings, and what the backend adds. */
  readonly environment: Environment;
  /** What they find in their process; absent where they have SDK clients for that. */
  readonly offered?: EmbeddedPorts;
  /** The same before anyone wrapped it. */
  readonly ports?: ServicePorts;
}

export interface ServiceBackend {
  /** Asked at the start, and again with each reload. `settings` are what every function is to see. Throws a `StartError` where they ask for what can't be had. */
  equip(settings: Environment): Promise<Equipment>;
  /** What CloudFormation would fill in; `undefined` where there is no such resource here. */
  resolve(reference: ResourceReference): string | undefined;
  /**
   * Takes batches off the queue of an event source to a function. Returns how to stop that. Throws a `StartError` where there is no such
   * queue.
   */
  startEventSource(target: LambdaFunction, source: QueueSource): () => void;
}
