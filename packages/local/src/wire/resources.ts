import { ACCOUNT_ID, arnOf } from "../account.ts";
import type { ResourceReference } from "../resource-reference.ts";
import type { ServiceDefinition } from "../service-definition.ts";
import type { QueueResource, TableResource } from "../service-resources.ts";
import { StartError } from "../start-error.ts";
import type { AwsJsonClient } from "./aws-json.ts";

export interface ResourceMakerOptions {
  readonly dynamodb: AwsJsonClient;
  readonly sqs: AwsJsonClient;
  /** What the addresses of queues begin with. */
  readonly queueOrigin: string;
  readonly region: string;
  /** Over what `serverless.yml` says, for every queue. */
  readonly visibilityTimeoutSeconds?: number;
}

/** The values of a resource, by attribute; `Ref` is what a `!Ref` gives. */
type ResourceValues = Readonly<Record<string, string>>;

/** What was made of a service's resources. */
export interface MadeResources {
  /** What CloudFormation would fill in; `undefined` where no such resource was made. */
  resolve(reference: ResourceReference): string | undefined;
}

/** Makes the tables and queues that a service's `serverless.yml` deploys; throws a {@link StartError} where one is refused. */
export async function makeResources(
  { name: service, resources: { tables, queues } }: ServiceDefinition,
  options: ResourceMakerOptions,
): Promise<MadeResources> {
  // A queue's name has no dots; a folder's may.
  const nameOf = ({ logicalId, name }: TableResource | QueueResource) =>
    name ?? `${service}-dev-${logicalId}`.replaceAll(".", "-");
  const values = new Map<string, ResourceValues>([
    ...tables.map((table) => [table.logicalId, valuesOfTable(nameOf(table), options)] as const),
    ...queues.map((queue) => [queue.logicalId, valuesOfQueue(nameOf(queue), options)] as const),
  ]);
  const resolve = ({ logicalId, attribute = "Ref" }: ResourceReference) => values.get(logicalId)?.[attribute];

  async function make(resource: TableResource | QueueResource): Promise<void> {
    try {
      if ("settings" in resource) await makeTable(nameOf(resource), resource, options);
      else await makeQueue(nameOf(resource), resource, resolve, options);
    } catch (cause) {
      throw new StartError(`${service}: resources.${resource.logicalId}: ${(cause as Error).message}`, { cause });
    }
  }

  await Promise.all([...tables, ...queues].map(make));
  return { resolve };
}

function valuesOfTable(name: string, { region }: ResourceMakerOptions): ResourceValues {
  return { Ref: name, Arn: arnOf("dynamodb", region, `table/${name}`) };
}

function valuesOfQueue(name: string, { queueOrigin, region }: ResourceMakerOptions): ResourceValues {
  const url = `${queueOrigin}/${ACCOUNT_ID}/${name}`;
  return { Ref: url, QueueUrl: url, Arn: arnOf("sqs", region, name), QueueName: name };
}

async function makeTable(
  TableName: string,
  { settings }: TableResource,
  { dynamodb }: ResourceMakerOptions,
): Promise<void> {
  await dynamodb.call("CreateTable", { ...settings, TableName });
  for (let status = "CREATING"; status !== "ACTIVE"; ) {
    const { Table } = (await dynamodb.call("DescribeTable", { TableName })) as { Table: { TableStatus: string } };
    status = Table.TableStatus;
  }
}

async function makeQueue(
  QueueName: string,
  { attributes, redrive }: QueueResource,
  resolve: MadeResources["resolve"],
  { sqs, visibilityTimeoutSeconds }: ResourceMakerOptions,
): Promise<void> {
  const Attributes: Record<string, string | undefined> = { ...attributes };
  if (visibilityTimeoutSeconds !== undefined) Attributes.VisibilityTimeout = String(visibilityTimeoutSeconds);
  if (redrive !== undefined) {
    const { target, maxReceiveCount } = redrive;
    const deadLetterTargetArn = resolve({ logicalId: target, attribute: "Arn" });
    if (deadLetterTargetArn === undefined) throw new Error(`its dead-letter queue ${target} is none of the resources`);
    Attributes.RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
  }
  await sqs.call("CreateQueue", { QueueName, Attributes });
}
