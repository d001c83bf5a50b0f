import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { HostFaults } from "../src/index.ts";
import { createWireMeter, type WireMeter } from "../src/wire/counts.ts";
import { type Infrastructure, startInfrastructure } from "../src/wire/infrastructure.ts";

export const REGION = "eu-central-1";

/** DynamoDB and SQS without a host, whose faults are the test's, and SDK clients to them that don't retry. */
export interface WireInfrastructure extends Infrastructure {
  /** Asked anew each time: a test may set them when it likes. */
  readonly faults: { -readonly [Fault in keyof HostFaults]: HostFaults[Fault] };
  readonly meter: WireMeter;
  readonly dynamodbClient: DynamoDBClient;
  readonly sqsClient: SQSClient;
  /** Makes a table with the keys `p` and `s`. */
  makeTable(name: string): Promise<void>;
  /** Makes a queue; resolves with its address. */
  makeQueue(name: string, attributes?: Record<string, string>): Promise<string>;
}

export async function startWire(): Promise<WireInfrastructure> {
  const faults: WireInfrastructure["faults"] = {};
  const meter = createWireMeter();
  const log = (line: string) => {
    throw new Error(line);
  };
  const infrastructure = await startInfrastructure({ region: REGION, meter, faults, log });
  const settings: DynamoDBClientConfig = {
    region: REGION,
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
    maxAttempts: 1,
  };
  const dynamodbClient = new DynamoDBClient({ ...settings, endpoint: infrastructure.dynamodbUrl });
  const sqsClient = new SQSClient({ ...settings, endpoint: infrastructure.sqsUrl });
  return {
    ...infrastructure,
    faults,
    meter,
    dynamodbClient,
    sqsClient,
    async makeTable(TableName) {
      await infrastructure.deployment.dynamodb.call("CreateTable", {
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: ["p", "s"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        KeySchema: [
          { AttributeName: "p", KeyType: "HASH" },
          { AttributeName: "s", KeyType: "RANGE" },
        ],
      });
    },
    async makeQueue(QueueName, Attributes = {}) {
      await infrastructure.deployment.sqs.call("CreateQueue", { QueueName, Attributes });
      return `${infrastructure.sqsUrl}/000000000000/${QueueName}`;
    },
    async close() {
      dynamodbClient.destroy();
      sqsClient.destroy();
      await infrastructure.close();
    },
  };
}
