import { beforeAll, describe, expect, it } from "@jest/globals";
import { APPLICATIONS, type Packaged } from "./packaged.ts";
import type { Template } from "./template.ts";

/** What is made of the service of applications, and how it is set. */
export function describeApplications(packaged: () => Packaged): void {
  describe("the stack of applications", () => {
    let stack: Template;
    beforeAll(async () => {
      stack = await packaged().template(APPLICATIONS.service);
    });

    const propertiesOf = (logicalId: string) => stack.resources[logicalId]?.Properties;

    it("keeps the table that the others name when it goes itself, but for a first deployment that failed", () => {
      expect(stack.resources.Table).toMatchObject({
        DeletionPolicy: "RetainExceptOnCreate",
        UpdateReplacePolicy: "Retain",
        Properties: {
          TableName: "topicast-applications-dev",
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: [
            { AttributeName: "p", KeyType: "HASH" },
            { AttributeName: "s", KeyType: "RANGE" },
          ],
          TimeToLiveSpecification: { AttributeName: "x", Enabled: true },
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      });
      expect(stack.ofType("AWS::DynamoDB::Table")).toHaveLength(1);
    });

    it("has an HTTP API and nothing else that could be called", () => {
      const routes = stack.ofType("AWS::ApiGatewayV2::Route").map(({ Properties }) => Properties.RouteKey);
      expect(routes).toEqual(APPLICATIONS.http);
      expect(stack.ofType("AWS::ApiGatewayV2::Api").map(({ Properties }) => Properties.ProtocolType)).toEqual(["HTTP"]);
      expect(stack.ofType("AWS::Lambda::EventSourceMapping")).toEqual([]);
    });

    it("runs on arm64 and nodejs22.x, and has the operator's key from SSM, as a hash", () => {
      expect(propertiesOf("HttpLambdaFunction")).toMatchObject({
        Runtime: "nodejs22.x",
        Architectures: ["arm64"],
        MemorySize: 256,
        Role: { "Fn::GetAtt": ["AdminRole", "Arn"] },
      });
      expect(propertiesOf("HttpLambdaFunction").Environment.Variables).toEqual({
        NODE_OPTIONS: "--enable-source-maps",
        STORE: "dynamodb",
        TABLE_NAME: { Ref: "Table" },
        REDIS_URL: "",
        REDIS_PREFIX: "",
        OPEN: "",
        OPERATOR_KEY_HASH: "{{resolve:ssm:/topicast/dev/operator-key-hash}}",
        ENCRYPTION_KEY_PARAMETER: "/topicast/dev/encryption-key",
        ALLOWED_ORIGINS: "",
        POWERTOOLS_LOG_LEVEL: "",
      });
    });
  });
}
