// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation fills these in
import { beforeAll, describe, expect, it } from "@jest/globals";
import {
  ADMIN,
  ALL_STACKS,
  AUTHORIZE,
  CONNECTION,
  DISCONNECTION,
  HTTP,
  type Packaged,
  PUBLISH,
  REFUSAL,
  SUBSCRIPTION,
} from "./packaged.ts";
import type { Template } from "./template.ts";

const ACCOUNT = "${AWS::Region}:${AWS::AccountId}";
const API_ARN = `arn:\${AWS::Partition}:execute-api:${ACCOUNT}`;

type Grants = Readonly<Record<string, readonly string[]>>;

/** What a stack was packaged with. */
export interface Setting {
  readonly usesDynamoDb: boolean;
  readonly isInVpc: boolean;
}

/** What each role may do, by resource; `*` stands only where ids that nobody knows beforehand do. */
function expectedGrants(service: string, role: string, { usesDynamoDb, isInVpc }: Setting): Grants {
  const grants = Object.entries({ ...grantsOf(service, role), ...(isInVpc && role !== REFUSAL && INTERFACES) });
  const isDynamoDb = (actions: readonly string[]) => actions.every((action) => action.startsWith("dynamodb:"));
  return Object.fromEntries(grants.filter(([, actions]) => usesDynamoDb || !isDynamoDb(actions)));
}

/** What Lambda does in a function's role to put it into a VPC. AWS lets nobody say which interfaces may be listed. */
const INTERFACES: Grants = {
  "*": ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
  [`arn:\${AWS::Partition}:ec2:${ACCOUNT}:*/*`]: [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
  ],
};

/** That, and anything like it, is not for the function's own code. */
function expectedDenials(service: string, role: string, { isInVpc }: Setting): readonly object[] {
  if (!isInVpc || role === REFUSAL) return [];
  const code = { "Fn::Sub": `arn:\${AWS::Partition}:lambda:${ACCOUNT}:function:topicast-${service}-dev-*` };
  const Condition = { ArnLike: { "lambda:SourceFunctionArn": code } };
  return [{ Effect: "Deny", Action: "ec2:*", Resource: "*", Condition }];
}

function grantsOf(service: string, role: string): Grants {
  const logs = `arn:\${AWS::Partition}:logs:${ACCOUNT}:log-group:/aws/lambda/topicast-${service}-dev-*:*`;
  const manage = (method: string) => ({
    [`${API_ARN}:\${WebsocketsApi}/dev/${method}/@connections/*`]: ["execute-api:ManageConnections"],
  });
  const post = manage("POST");
  const log = { [logs]: ["logs:CreateLogStream", "logs:PutLogEvents"] };
  if (role === REFUSAL) return log;
  const parameter = `arn:\${AWS::Partition}:ssm:${ACCOUNT}:parameter/topicast/dev/encryption-key`;
  const encryptionKey = { [parameter]: ["ssm:GetParameter"] };
  if (role === ADMIN) {
    const actions = ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"];
    return { ...log, ...encryptionKey, "${Table.Arn}": actions.map((action) => `dynamodb:${action}`) };
  }
  const applicationsTable = `arn:\${AWS::Partition}:dynamodb:${ACCOUNT}:table/topicast-applications-dev`;
  const applications = { [applicationsTable]: ["dynamodb:GetItem"] };
  if (role === AUTHORIZE) return { ...log, ...applications, ...encryptionKey };
  const actions = ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"];
  const table = { ...log, "${Table.Arn}": actions.map((action) => `dynamodb:${action}`) };
  if (role === DISCONNECTION) return { ...table, ...post };
  if (role === CONNECTION) return { ...table, ...applications, ...post };
  const kick = { ...table, ...applications, ...post, ...manage("DELETE") };
  if (role === SUBSCRIPTION) return kick;
  if (role === PUBLISH) return { ...kick, "${FanoutQueue.Arn}": ["sqs:SendMessage"] };
  const send = ["sqs:GetQueueAttributes", "sqs:SendMessage"];
  if (role === HTTP) return { ...kick, ...manage("GET"), "${FanoutQueue.Arn}": send };
  const receive = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"];
  return { ...kick, "${FanoutQueue.Arn}": receive, "${DeadLetterQueue.Arn}": ["sqs:SendMessage"] };
}

/** Who may do what. */
export function describePermissions(packaged: () => Packaged, setting: Setting): void {
  describe.each(ALL_STACKS)("the stack of $service", ({ service, roles }) => {
    let stack: Template;
    beforeAll(async () => {
      stack = await packaged().template(service);
    });

    it("has the roles of its functions and no other", () => {
      const names = Object.entries(stack.resources).filter(([, { Type }]) => Type === "AWS::IAM::Role");
      expect(names.map(([name]) => name).sort()).toEqual([...new Set(Object.values(roles))].sort());
    });

    it.each([...new Set(Object.values(roles))])("names every action and resource of %s", (role) => {
      const { AssumeRolePolicyDocument, ManagedPolicyArns, Policies } = stack.resources[role]?.Properties ?? {};
      expect(AssumeRolePolicyDocument.Statement).toEqual([
        { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
      ]);
      expect(ManagedPolicyArns).toBeUndefined();
      expect(Policies).toHaveLength(1);
      const statements: readonly Record<string, unknown>[] = Policies[0].PolicyDocument.Statement;
      const denials = statements.filter(({ Effect }) => Effect === "Deny");
      expect(denials).toEqual(expectedDenials(service, role, setting));
      const grants = statements.filter((statement) => !denials.includes(statement)).map(grantOf);
      const expected = expectedGrants(service, role, setting);
      expect(Object.fromEntries(grants)).toEqual(expected);
      expect(grants).toHaveLength(Object.keys(expected).length);
    });

    it("lets only its own APIs call its functions", () => {
      const permissions = stack.ofType("AWS::Lambda::Permission").map(({ Properties }) => Properties);
      // Every function but deliver is called by one of them.
      expect(permissions).toHaveLength(Object.keys(roles).filter((name) => name !== "deliver").length);
      for (const { Action, Principal, SourceArn } of permissions) {
        expect([Action, Principal]).toEqual(["lambda:InvokeFunction", "apigateway.amazonaws.com"]);
        expect(textOf(SourceArn)).toMatch(/:execute-api:.*:\$\{(WebsocketsApi|HttpApi)\}\/\*$/);
      }
    });

    it("lets nobody from outside at its queues", () => {
      expect(stack.ofType("AWS::SQS::QueuePolicy")).toEqual([]);
    });
  });
}

function grantOf({ Effect, Action, Resource, ...rest }: Readonly<Record<string, unknown>>): [string, unknown[]] {
  expect({ Effect, rest }).toEqual({ Effect: "Allow", rest: {} });
  return [textOf(Resource), [Action].flat().sort()];
}

/** A reference as `Fn::Sub` would write it. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const [[name, argument] = []] = Object.entries(value as Record<string, unknown>);
  if (name === "Ref") return `\${${argument}}`;
  if (name === "Fn::Sub") return String(argument);
  if (name === "Fn::GetAtt") return `\${${(argument as string[]).join(".")}}`;
  if (name === "Fn::Join") {
    const [delimiter, parts] = argument as [string, unknown[]];
    return parts.map(textOf).join(delimiter);
  }
  throw new Error(`No such reference here: ${JSON.stringify(value)}`);
}
