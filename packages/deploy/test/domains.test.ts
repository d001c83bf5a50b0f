// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation fills these in
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { expectHarmless } from "./access-log-cases.ts";
import { ALL_STACKS, PACKAGING_MS, type Packaged, packageStacks, REFUSAL } from "./packaged.ts";
import type { Template } from "./template.ts";

const CERTIFICATE_ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";

const ENVIRONMENT = {
  // Its own domains, and both stores: one packaging serves them all.
  STORE: "dynamodb+redis",
  REDIS_URL: "rediss://redis.example.com:6379,rediss://redis2.example.com:6379",
  CERTIFICATE_ARN,
  TOPIC_WEBSOCKET_DOMAIN: "topic-ws.example.com",
  TOPIC_HTTP_DOMAIN: "topic.example.com",
  BROADCAST_WEBSOCKET_DOMAIN: "broadcast-ws.example.com",
  BROADCAST_WEBSOCKET_PATH: "v1",
  FANOUT_CONCURRENCY: "25",
  POST_CONCURRENCY: "32",
  OPERATOR_KEY_HASH: "a".repeat(64),
  WEBSOCKET_ACCESS_LOGS: "yes",
};

let packaged: Packaged;
beforeAll(async () => {
  packaged = await packageStacks(ENVIRONMENT, ["--stage", "prod"]);
}, PACKAGING_MS);
afterAll(() => packaged.remove());

const variablesOf = (stack: Template) => stack.resources.DeliverLambdaFunction?.Properties.Environment.Variables;

describe("the topic service with a domain for each of its APIs", () => {
  it("maps both domains, with one certificate", async () => {
    const stack = await packaged.template("message-topic");
    const configuration = { CertificateArn: CERTIFICATE_ARN, EndpointType: "REGIONAL", SecurityPolicy: "TLS_1_2" };
    expect(stack.ofType("AWS::ApiGatewayV2::DomainName").map(({ Properties }) => Properties)).toEqual([
      { DomainName: "topic-ws.example.com", DomainNameConfigurations: [configuration] },
      { DomainName: "topic.example.com", DomainNameConfigurations: [configuration] },
    ]);
    expect(stack.ofType("AWS::ApiGatewayV2::ApiMapping").map(({ Properties }) => Properties)).toEqual([
      { DomainName: { Ref: "WebSocketDomain" }, ApiId: { Ref: "WebsocketsApi" }, Stage: "prod" },
      { DomainName: { Ref: "HttpDomain" }, ApiId: { Ref: "HttpApi" }, Stage: "$default" },
    ]);
    expect(Object.keys(stack.outputs)).toEqual(expect.arrayContaining(["WebSocketDomainTarget", "HttpDomainTarget"]));
  });

  it("posts through its domain, without the stage", async () => {
    expect(variablesOf(await packaged.template("message-topic")).GATEWAY_ENDPOINT).toBe("https://topic-ws.example.com");
  });
});

describe("the broadcast service with a path on its WebSocket domain, and no HTTP domain", () => {
  it("maps the path of that domain alone", async () => {
    const stack = await packaged.template("message-broadcast");
    expect(stack.ofType("AWS::ApiGatewayV2::DomainName")).toHaveLength(1);
    expect(stack.ofType("AWS::ApiGatewayV2::ApiMapping").map(({ Properties }) => Properties)).toEqual([
      { DomainName: { Ref: "WebSocketDomain" }, ApiId: { Ref: "WebsocketsApi" }, Stage: "prod", ApiMappingKey: "v1" },
    ]);
    expect(Object.keys(stack.outputs)).not.toContain("HttpDomainTarget");
  });

  it("posts through the domain's path", async () => {
    expect(variablesOf(await packaged.template("message-broadcast")).GATEWAY_ENDPOINT).toBe(
      "https://broadcast-ws.example.com/v1",
    );
  });
});

it("the applications of another stage have another table, and the operator that the environment names", async () => {
  const stack = await packaged.template("applications");
  expect(stack.resources.Table?.Properties.TableName).toBe("topicast-applications-prod");
  const { Variables } = stack.resources.HttpLambdaFunction?.Properties.Environment ?? {};
  expect(Variables).toMatchObject({
    OPERATOR_KEY_HASH: ENVIRONMENT.OPERATOR_KEY_HASH,
    ENCRYPTION_KEY_PARAMETER: "/topicast/prod/encryption-key",
  });
});

/** Both clients are in them, 75 KB and 200, with both kinds of drivers and what moves between them. */
const MAX_BYTES = 750 * 1024;

describe.each(ALL_STACKS)("the stack of $service between two stores", ({ service, roles }) => {
  it("has a table and the right to it, and the address of a Redis that needs no VPC", async () => {
    const stack = await packaged.template(service);
    const functions = stack.ofType("AWS::Lambda::Function").map(({ Properties }) => Properties);
    for (const { Environment, VpcConfig } of functions) {
      const { STORE, REDIS_URL } = ENVIRONMENT;
      expect(Environment.Variables).toMatchObject({ STORE, REDIS_URL, TABLE_NAME: { Ref: "Table" } });
      expect(VpcConfig).toBeUndefined();
    }
    expect(stack.ofType("AWS::DynamoDB::Table")).toHaveLength(1);
    expect(stack.text).toContain('"dynamodb:Query"');
    expect(stack.text).not.toContain('"ec2:');
  });

  it("has in its functions the clients of both, where they talk to the store, and no more than that takes", async () => {
    const bundles = await packaged.bundles(service);
    for (const [name, role] of Object.entries(roles)) {
      const code = bundles.get(name)?.get(`src/handlers/${name}.cjs`) ?? Buffer.alloc(0);
      // It prints so, and no other library does.
      expect([name, code.includes("[ioredis]")]).toEqual([name, role !== REFUSAL]);
      expect([name, code.includes('"@aws-sdk/client-dynamodb"')]).toEqual([name, role !== REFUSAL]);
      expect(code.byteLength).toBeLessThanOrEqual(MAX_BYTES);
    }
  });
});

describe.each(["message-topic", "message-broadcast"])("the stack of %s in another stage", (service) => {
  it("has the permission to post on its API's own ARN, whatever its domain", async () => {
    const stack = await packaged.template(service);
    const statements = stack.resources.DeliverRole?.Properties.Policies[0].PolicyDocument.Statement;
    expect(statements).toContainEqual({
      Effect: "Allow",
      Action: "execute-api:ManageConnections",
      Resource: {
        "Fn::Sub":
          "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketsApi}/prod/POST/@connections/*",
      },
    });
  });

  it("logs messages of clients where it is asked for, without what they say", async () => {
    const stack = await packaged.template(service);
    const { AccessLogSettings, DefaultRouteSettings } = stack.resources.WebsocketsDeploymentStage?.Properties ?? {};
    expectHarmless(AccessLogSettings.Format);
    expect(DefaultRouteSettings).toEqual({ DataTraceEnabled: false, LoggingLevel: "OFF" });
    expect(stack.ofType("Custom::ApiGatewayAccountRole")).toEqual([]);
  });

  it("finds the applications of its stage", async () => {
    const stack = await packaged.template(service);
    expect(variablesOf(stack)).toMatchObject({ APPLICATIONS_TABLE_NAME: "topicast-applications-prod" });
  });

  it("passes on what the environment sets", async () => {
    const stack = await packaged.template(service);
    expect(variablesOf(stack)).toMatchObject({ POST_CONCURRENCY: "32" });
    const [source] = stack.ofType("AWS::Lambda::EventSourceMapping");
    expect(source?.Properties.ScalingConfig).toEqual({ MaximumConcurrency: 25 });
    expect(stack.resources.DeliverLambdaFunction?.Properties.FunctionName).toBe(`topicast-${service}-prod-deliver`);
  });
});
