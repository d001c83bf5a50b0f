import * as v from "valibot";
import { parseReference } from "./resource-reference.ts";
import { includeFile, type VariableScope } from "./serverless-variables.ts";

/** A DynamoDB table of a `serverless.yml`. */
export interface TableResource {
  readonly logicalId: string;
  /** Absent where CloudFormation would make one up. */
  readonly name?: string;
  /** What of it `CreateTable` takes besides the name. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** An SQS queue of a `serverless.yml`. */
export interface QueueResource {
  readonly logicalId: string;
  /** Absent where CloudFormation would make one up. */
  readonly name?: string;
  /** As `CreateQueue` takes them, without the redrive policy. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
  readonly redrive?: {
    /** The dead-letter queue's logical id. */
    readonly target: string;
    readonly maxReceiveCount: number;
  };
}

/** What the host can make of the resources that a service deploys. */
export interface ServiceResources {
  readonly tables: readonly TableResource[];
  readonly queues: readonly QueueResource[];
}

const TABLE = "AWS::DynamoDB::Table";
const QUEUE = "AWS::SQS::Queue";

/** The rest (TTL, backups, encryption, tags) changes nothing on this machine. */
const USED_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  [TABLE]: [
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
  ],
  [QUEUE]: [
    "QueueName",
    "VisibilityTimeout",
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "RedrivePolicy",
  ],
};

const resource = v.object({ Type: v.string(), Properties: v.optional(v.record(v.string(), v.unknown()), {}) });
const template = v.object({ Resources: v.optional(v.record(v.string(), v.unknown()), {}) });

/**
 * The tables and queues of a `serverless.yml`'s `resources`, which is one template or several, and of them what the host uses, their
 * variables as they are written.
 */
export function pickResources(resources: unknown, scope: VariableScope): object {
  const include = (value: unknown, path: string) => includeFile(value, path, scope);
  const templates = [include(resources, "resources")].flat().flatMap((part, at) => {
    const parsed = v.safeParse(template, include(part, `resources.${at}`));
    return parsed.success ? [parsed.output.Resources] : [];
  });
  const picked = templates
    .flatMap(Object.entries)
    .map(([logicalId, value]): [string, object | undefined] => [
      logicalId,
      pickUsed(include(value, `resources.${logicalId}`)),
    ]);
  return Object.fromEntries(picked.filter(([, used]) => used !== undefined));
}

function pickUsed(value: unknown): object | undefined {
  const parsed = v.safeParse(resource, value);
  if (!parsed.success) return undefined;
  const { Type, Properties } = parsed.output;
  const used = USED_PROPERTIES[Type]?.filter((name) => Properties[name] !== undefined);
  return used && { Type, ...Object.fromEntries(used.map((name) => [name, Properties[name]])) };
}

const scalar = v.pipe(v.union([v.number(), v.string()], "Expected a number"), v.transform(String));

const table = v.looseObject({ Type: v.literal(TABLE), TableName: v.optional(v.unknown()) });
const queue = v.object({
  Type: v.literal(QUEUE),
  QueueName: v.optional(v.unknown()),
  VisibilityTimeout: v.optional(scalar),
  DelaySeconds: v.optional(scalar),
  MaximumMessageSize: v.optional(scalar),
  MessageRetentionPeriod: v.optional(scalar),
  RedrivePolicy: v.optional(
    v.object({
      deadLetterTargetArn: v.pipe(
        v.unknown(),
        v.transform((arn) => parseReference(arn)?.logicalId),
        v.string("Expected !GetAtt and a queue's Arn"),
      ),
      maxReceiveCount: v.pipe(scalar, v.transform(Number), v.integer(), v.minValue(1)),
    }),
  ),
});

/** What {@link pickResources} picked, its variables resolved. */
export const resourcesSchema = v.pipe(
  v.record(v.string(), v.variant("Type", [table, queue])),
  v.transform((resources): ServiceResources => {
    const all = Object.entries(resources);
    return {
      tables: all.flatMap(([logicalId, input]) => (input.Type === TABLE ? [toTable(logicalId, input)] : [])),
      queues: all.flatMap(([logicalId, input]) => (input.Type === QUEUE ? [toQueue(logicalId, input)] : [])),
    };
  }),
);

function toTable(logicalId: string, { Type: _, TableName, ...settings }: v.InferOutput<typeof table>): TableResource {
  return { logicalId, ...toName(TableName), settings };
}

function toQueue(
  logicalId: string,
  { Type: _, QueueName, RedrivePolicy, ...attributes }: v.InferOutput<typeof queue>,
): QueueResource {
  const named = { logicalId, ...toName(QueueName), attributes };
  if (RedrivePolicy === undefined) return named;
  const { deadLetterTargetArn: target, maxReceiveCount } = RedrivePolicy;
  return { ...named, redrive: { target, maxReceiveCount } };
}

/** A name that only CloudFormation can work out counts as none. */
function toName(name: unknown): { readonly name?: string } {
  return typeof name === "string" ? { name } : {};
}
