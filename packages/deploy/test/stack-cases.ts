// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation fills these in
import { beforeAll, describe, expect, it } from "@jest/globals";
import { type Packaged, STACKS } from "./packaged.ts";
import type { Resource, Template } from "./template.ts";

const FOUR_DAYS_S = 4 * 24 * 60 * 60;
const FOURTEEN_DAYS_S = 14 * 24 * 60 * 60;

/** What is made of each service, and how it is set. */
export function describeStack(packaged: () => Packaged): void {
  describe.each(STACKS)("the stack of $service", ({ service, answering, silent, http, roles }) => {
    let stack: Template;
    beforeAll(async () => {
      stack = await packaged().template(service);
    });

    const propertiesOf = (logicalId: string) => stack.resources[logicalId]?.Properties;
    const functionNamed = (name: string) => propertiesOf(`${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`);
    const routesOf = (api: string) =>
      stack.ofType("AWS::ApiGatewayV2::Route").filter(({ Properties }) => Properties.ApiId.Ref === api);

    it("routes messages by their action, with a route response wherever there is something to answer", () => {
      expect(propertiesOf("WebsocketsApi")).toMatchObject({
        ProtocolType: "WEBSOCKET",
        RouteSelectionExpression: "$request.body.action",
      });
      const keysOf = (routes: readonly Resource[]) => routes.map(({ Properties }) => Properties.RouteKey).sort();
      const routes = routesOf("WebsocketsApi");
      const answers = ({ Properties }: Resource) => Properties.RouteResponseSelectionExpression === "$default";
      expect(keysOf(routes.filter(answers))).toEqual([...answering].sort());
      expect(keysOf(routes.filter((route) => !answers(route)))).toEqual([...silent].sort());

      const responses = stack.ofType("AWS::ApiGatewayV2::RouteResponse").map(({ Properties }) => Properties);
      const answered = responses.map(({ RouteId }) => propertiesOf(RouteId.Ref).RouteKey);
      expect(answered.sort()).toEqual([...answering].sort());
      expect(responses.every(({ RouteResponseKey }) => RouteResponseKey === "$default")).toBe(true);
    });

    it("asks authorize for each connection, wherever its token is", () => {
      const connect = routesOf("WebsocketsApi").find(({ Properties }) => Properties.RouteKey === "$connect");
      const { AuthorizationType, AuthorizerId } = connect?.Properties ?? {};
      expect([AuthorizationType, AuthorizerId]).toEqual(["CUSTOM", { Ref: "AuthorizeWebsocketsAuthorizer" }]);
      expect(stack.ofType("AWS::ApiGatewayV2::Authorizer").map(({ Properties }) => Properties)).toEqual([
        expect.objectContaining({ AuthorizerType: "REQUEST", ApiId: { Ref: "WebsocketsApi" }, IdentitySource: [] }),
      ]);
    });

    it("logs no messages of clients unless it is asked for", () => {
      expect(propertiesOf("WebsocketsDeploymentStage")).not.toHaveProperty("AccessLogSettings");
      expect(propertiesOf("WebsocketsDeploymentStage")).not.toHaveProperty("DefaultRouteSettings");
    });

    it("has an HTTP API with greedy paths", () => {
      expect(propertiesOf("HttpApi")).toMatchObject({ ProtocolType: "HTTP" });
      expect(routesOf("HttpApi").map(({ Properties }) => Properties.RouteKey)).toEqual(http);
    });

    it("runs every function on arm64 and nodejs22.x, in a role of its kind, with logs that end", () => {
      expect(stack.ofType("AWS::Lambda::Function")).toHaveLength(Object.keys(roles).length);
      for (const [name, role] of Object.entries(roles)) {
        expect(functionNamed(name)).toMatchObject({
          Runtime: "nodejs22.x",
          Architectures: ["arm64"],
          MemorySize: name === "deliver" ? 512 : 256,
          Role: { "Fn::GetAtt": [role, "Arn"] },
        });
        // API Gateway waits 29 s.
        if (name !== "deliver") expect(functionNamed(name).Timeout).toBeLessThan(29);
      }
      const retentions = stack.ofType("AWS::Logs::LogGroup").map(({ Properties }) => Properties.RetentionInDays);
      // And those of the HTTP API.
      expect(retentions).toEqual([...Object.keys(roles), "http-api"].map(() => 14));
      expect(stack.ofType("AWS::Lambda::Version")).toEqual([]);
    });

    it("tells every function its tables, queues and management endpoint, and closes its doors", () => {
      for (const name of Object.keys(roles)) {
        expect(functionNamed(name).Environment.Variables).toEqual({
          NODE_OPTIONS: "--enable-source-maps",
          STORE: "dynamodb",
          TABLE_NAME: { Ref: "Table" },
          REDIS_URL: "",
          REDIS_PREFIX: "",
          FANOUT_QUEUE_URL: { Ref: "FanoutQueue" },
          DEAD_LETTER_QUEUE_URL: { Ref: "DeadLetterQueue" },
          GATEWAY_ENDPOINT: {
            "Fn::Sub": "https://${WebsocketsApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/dev",
          },
          FANOUT_INLINE_MAX: "",
          FANOUT_SHARD_MAX: "",
          FANOUT_PAGE_SIZE: "",
          FANOUT_ATTEMPTS_MAX: "",
          SUBSCRIPTIONS_MAX: "",
          POST_CONCURRENCY: "",
          POST_TIMEOUT_MS: "",
          MESSAGES_PER_SECOND_MAX: "",
          OPEN: "",
          ALLOWED_ORIGINS: "",
          APPLICATIONS_TABLE_NAME: "topicast-applications-dev",
          APPLICATIONS_REDIS_PREFIX: "",
          ENCRYPTION_KEY_PARAMETER: "/topicast/dev/encryption-key",
          JWKS_URL: "",
          JWKS_ALGORITHM: "",
          JWKS_ISSUER: "",
          JWKS_AUDIENCE: "",
          AUTH_URL: "",
          TOPIC_RULES: "[]",
          POWERTOOLS_LOG_LEVEL: "",
        });
      }
    });

    it("keeps everything in one table, on demand, where rows expire", () => {
      expect(stack.ofType("AWS::DynamoDB::Table")).toEqual([stack.resources.Table]);
      expect(propertiesOf("Table")).toEqual({
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "p", AttributeType: "S" },
          { AttributeName: "s", AttributeType: "S" },
        ],
        KeySchema: [
          { AttributeName: "p", KeyType: "HASH" },
          { AttributeName: "s", KeyType: "RANGE" },
        ],
        TimeToLiveSpecification: { AttributeName: "x", Enabled: true },
      });
    });

    it("receives jobs five times before they are dead letters, which are kept for 14 days", () => {
      expect(propertiesOf("FanoutQueue")).toEqual({
        VisibilityTimeout: expect.any(Number),
        MessageRetentionPeriod: FOUR_DAYS_S,
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": ["DeadLetterQueue", "Arn"] }, maxReceiveCount: 5 },
      });
      expect(propertiesOf("FanoutQueue").VisibilityTimeout).toBeGreaterThanOrEqual(
        6 * functionNamed("deliver").Timeout,
      );
      expect(propertiesOf("DeadLetterQueue")).toEqual({
        MessageRetentionPeriod: FOURTEEN_DAYS_S,
        SqsManagedSseEnabled: true,
      });
    });

    it("takes jobs off the queue at once, ten at a time, in at most ten functions", () => {
      expect(stack.ofType("AWS::Lambda::EventSourceMapping").map(({ Properties }) => Properties)).toEqual([
        {
          EventSourceArn: { "Fn::GetAtt": ["FanoutQueue", "Arn"] },
          FunctionName: { "Fn::GetAtt": ["DeliverLambdaFunction", "Arn"] },
          BatchSize: 10,
          MaximumBatchingWindowInSeconds: 0,
          Enabled: true,
          FunctionResponseTypes: ["ReportBatchItemFailures"],
          ScalingConfig: { MaximumConcurrency: 10 },
        },
      ]);
    });

    it("lets deliver send to the queue that feeds it, which Lambda takes for a loop", () => {
      const { Properties } = stack.resources.DeliverLambdaFunction ?? {};
      expect(Properties).toMatchObject({ RecursiveLoop: "Allow" });
    });

    it("makes no custom domain", () => {
      expect(stack.ofType("AWS::ApiGatewayV2::DomainName")).toEqual([]);
      expect(stack.ofType("AWS::ApiGatewayV2::ApiMapping")).toEqual([]);
      expect(Object.keys(stack.outputs)).not.toContain("WebSocketDomainTarget");
    });
  });
}
