import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { DescribeTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type HostFaults, StartError, startHost, type Wire } from "../src/index.ts";
import { type FixtureHost, fixture, startFixtures } from "./fixture-host.ts";
import { connectClient } from "./web-socket-client.ts";

const faults: { -readonly [Fault in keyof HostFaults]: HostFaults[Fault] } = {};
const credentials = { accessKeyId: "any", secretAccessKey: "any" };

let host: FixtureHost;
let wire: Wire;
let dynamodb: DynamoDBClient;
let sqs: SQSClient;

beforeAll(async () => {
  process.env.AWS_PROFILE = "developer";
  process.env.AWS_ENDPOINT_URL = "https://example.com";
  host = await startFixtures(["wire"], { faults, wire: { visibilityTimeoutSeconds: 1 } });
  wire = host.wire as Wire;
  const { region } = wire;
  dynamodb = new DynamoDBClient({ endpoint: wire.dynamodbUrl, region, credentials });
  sqs = new SQSClient({ endpoint: wire.sqsUrl, region, credentials });
});

beforeEach(() => {
  for (const fault of Object.keys(faults) as (keyof HostFaults)[]) delete faults[fault];
});

afterAll(async () => {
  dynamodb.destroy();
  sqs.destroy();
  await host.close();
  expect(host.lines).toEqual([]);
});

async function ask(what: string, of: string): Promise<{ readonly output?: object; readonly error?: string }> {
  const response = await fetch(`${host.url}/wire/ask`, { method: "POST", body: JSON.stringify({ what, of }) });
  return (await response.json()) as object;
}

async function find(p: string, s: string): Promise<Record<string, { S?: string }> | undefined> {
  const Key = { p: { S: p }, s: { N: s } };
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: wire.ref("wire", "Table"), Key, ConsistentRead: true }),
  );
  return Item as Record<string, { S?: string }> | undefined;
}

/** Resolves with the next request to DynamoDB that fits, before it is passed on. */
function nextStoreRequest(operation: string): Promise<unknown> {
  return new Promise((resolve) => {
    faults.store = (asked, input) => {
      if (asked === operation) resolve(input);
      return undefined;
    };
  });
}

describe("what serverless.yml deploys is there:", () => {
  it("the table, with its keys and on demand", async () => {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: wire.ref("wire", "Table") }));
    expect(Table).toMatchObject({
      TableStatus: "ACTIVE",
      BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
      KeySchema: [
        { AttributeName: "p", KeyType: "HASH" },
        { AttributeName: "s", KeyType: "RANGE" },
      ],
    });
  });

  it("the queue, with its dead-letter queue, and the visibility timeout that the test asked for", async () => {
    const QueueUrl = wire.ref("wire", "Jobs");
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    expect(Attributes).toMatchObject({
      QueueArn: "arn:aws:sqs:us-east-1:000000000000:wire-dev-Jobs",
      VisibilityTimeout: "1",
      RedrivePolicy:
        '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:wire-dev-DeadJobs","maxReceiveCount":3}',
    });
  });

  it("and nothing else", () => {
    expect(() => wire.ref("wire", "SomethingElse")).toThrow('"wire" has no table or queue "SomethingElse"');
    expect(() => wire.ref("other", "Table")).toThrow('"other" has no table or queue "Table"');
  });
});

describe("a handler", () => {
  it("finds AWS in its environment, and no ports in its process", async () => {
    const { environment, embedded } = (await (await fetch(`${host.url}/wire/environment`)).json()) as {
      environment: Record<string, string>;
      embedded: boolean;
    };
    expect(environment).toMatchObject({
      STORE: "dynamodb",
      TABLE_NAME: "wire-dev-Table",
      TABLE_ARN: "arn:aws:dynamodb:us-east-1:000000000000:table/wire-dev-Table",
      JOBS_URL: `${wire.sqsUrl}/000000000000/wire-dev-Jobs`,
      DEAD_JOBS_URL: `${wire.sqsUrl}/000000000000/wire-dev-DeadJobs`,
      GATEWAY_ENDPOINT: `${host.url}/wire`,
      AWS_REGION: "us-east-1",
      AWS_ENDPOINT_URL_DYNAMODB: wire.dynamodbUrl,
      AWS_ENDPOINT_URL_SQS: wire.sqsUrl,
    });
    expect(environment.OTHER).toBeUndefined();
    // Of the developer's own account nothing is left.
    expect(environment.AWS_PROFILE).toBeUndefined();
    expect(environment.AWS_ENDPOINT_URL).toBeUndefined();
    expect(embedded).toBe(false);
  });

  it("reaches the table by the SDK's own means", async () => {
    expect(await ask("put", "1")).toEqual({ output: {} });
    expect(await ask("get", "1")).toEqual({ output: { Item: { p: { S: "asked" }, s: { N: "1" } } } });
    expect(await find("asked", "1")).toBeDefined();
  });

  it("is fed from the queue", async () => {
    const worked = nextStoreRequest("PutItem");
    expect(await ask("send", "7")).toEqual({
      output: { Successful: [{ Id: "1", MessageId: expect.any(String), MD5OfMessageBody: expect.any(String) }] },
    });
    expect(await worked).toMatchObject({ Item: { p: { S: "worked" }, s: { N: "7" } } });
  });

  it("gets a job that it fails again, until it is a dead letter", async () => {
    await ask("send", "no number");
    const QueueUrl = wire.ref("wire", "DeadJobs");
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    expect(Messages?.map(({ Body }) => Body)).toEqual(["no number"]);
  }, 20_000);

  it("posts to connections over HTTP", async () => {
    const client = await connectClient(host.webSocketUrl("wire"));
    const id = (await find("connected", "1"))?.id?.S ?? "";
    const { posts } = wire.counts();
    expect(await ask("post", id)).toEqual({ output: {} });
    expect(await client.next()).toBe("posted");
    faults.request = () => "throttled";
    expect(await ask("post", id)).toEqual({ error: "LimitExceededException" });
    client.socket.terminate();
    await client.closed;
    faults.request = () => "gone";
    expect(await ask("post", id)).toEqual({ error: "GoneException" });
    expect(wire.counts().posts).toBe(posts + 3);
  });
});

describe("a host in memory", () => {
  it("has no SDK for handlers, and says so", async () => {
    await expect(startFixtures(["wire"])).rejects.toThrow(
      "wire/ask can't start: @aws-sdk/client-dynamodb is not there in memory; start the host with --aws",
    );
  });
});

describe("a host over the wire", () => {
  it("has no ports in this process", () => {
    expect(() => host.ports("wire")).toThrow('over the wire "wire" has no ports in this process');
  });

  const TABLE = "Type: AWS::DynamoDB::Table, Properties: { KeySchema: [], BillingMode: PAY_PER_REQUEST }";
  const DEAD_LETTERS = "RedrivePolicy: { deadLetterTargetArn: !GetAtt None.Arn, maxReceiveCount: 5 }";

  it.each<[string, string, string, RegExp]>([
    [
      "a table that DynamoDB refuses",
      "",
      TABLE,
      /: resources\.Broken: CreateTable was refused with 400: .*ValidationException/,
    ],
    [
      "a dead-letter queue that isn't there",
      "",
      `Type: AWS::SQS::Queue, Properties: { ${DEAD_LETTERS} }`,
      /: resources\.Broken: its dead-letter queue None is none of the resources$/,
    ],
    [
      "an event source of another stack",
      "sqs: arn:aws:sqs:us-east-1:1:jobs",
      "Type: AWS::SQS::Queue",
      /\/describe: its event source is no queue of resources; name one with arn: !GetAtt Queue\.Arn$/,
    ],
  ])("doesn't start with %s", async (_what, event, resource, message) => {
    const folder = await mkdtemp(join(tmpdir(), "service-"));
    const handler = relative(folder, join(fixture("wire"), "handlers.describe"));
    const text = [
      "provider: {}",
      `functions: { describe: { handler: '${handler}', events: [${event === "" ? "" : `{ ${event} }`}] } }`,
      `resources: { Resources: { Broken: { ${resource} } } }`,
    ];
    await writeFile(join(folder, "serverless.yml"), text.join("\n"));
    const starting = startHost({ services: [folder], port: 0, wire: {} });
    await expect(starting).rejects.toThrow(StartError);
    await expect(starting).rejects.toThrow(message);
  });
});
