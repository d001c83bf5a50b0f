// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables in a serverless.yml look like templates
import { describe, expect, it } from "@jest/globals";
import { StartError } from "../src/index.ts";
import { parseServiceDefinition } from "../src/service-definition.ts";

const FOLDER = "/services/chat";
const FILE = "/services/chat/serverless.yml";

function parse(text: string) {
  return parseServiceDefinition(text, FOLDER, {});
}

describe("a reference to a resource", () => {
  it.each<[string, object]>([
    ["!Ref Table", { VALUE: { logicalId: "Table" } }],
    ["!GetAtt Queue.Arn", { VALUE: { logicalId: "Queue", attribute: "Arn" } }],
    ["{ 'Fn::GetAtt': [Queue, Arn] }", { VALUE: { logicalId: "Queue", attribute: "Arn" } }],
    ["!Sub '${Api}'", {}],
    ["text", {}],
  ])("%s", (value, references) => {
    const text = `provider: { environment: { VALUE: ${value} } }\nfunctions: { one: { handler: a.b } }`;
    expect(parse(text).functions[0]?.references).toEqual(references);
  });

  it("gives way to a function's own value", () => {
    const text =
      "provider: { environment: { VALUE: !Ref A } }\nfunctions: { one: { handler: a.b, environment: { VALUE: b } } }";
    expect(parse(text).functions[0]).toMatchObject({ environment: { VALUE: "b" }, references: {} });
  });
});

describe("resources", () => {
  function parseResources(...lines: string[]) {
    return parse(["provider: {}", "functions: {}", "resources:", ...lines.map((line) => `  ${line}`)].join("\n"))
      .resources;
  }

  it("are tables and queues, with what the host makes of them", () => {
    const resources = parseResources(
      "Resources:",
      "  Table:",
      "    Type: AWS::DynamoDB::Table",
      "    Properties: { BillingMode: PAY_PER_REQUEST, KeySchema: [a], TableName: things, Tags: [b] }",
      "  Jobs:",
      "    Type: AWS::SQS::Queue",
      "    Properties:",
      "      QueueName: !Sub 'jobs-${AWS::Region}'",
      "      VisibilityTimeout: 60",
      "      RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5 }",
      "  Dead: { Type: AWS::SQS::Queue }",
      "  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: '${env:UNSET}' } }",
    );
    expect(resources).toEqual({
      tables: [{ logicalId: "Table", name: "things", settings: { BillingMode: "PAY_PER_REQUEST", KeySchema: ["a"] } }],
      queues: [
        {
          logicalId: "Jobs",
          attributes: { VisibilityTimeout: "60" },
          redrive: { target: "Dead", maxReceiveCount: 5 },
        },
        { logicalId: "Dead", attributes: {} },
      ],
    });
  });

  it("may be several templates", () => {
    const { queues } = parseResources(
      "- Resources: { One: { Type: AWS::SQS::Queue } }",
      "- Outputs: {}",
      "- Resources: { Two: { Type: AWS::SQS::Queue } }",
    );
    expect(queues.map(({ logicalId }) => logicalId)).toEqual(["One", "Two"]);
  });

  it.each<[string, string, RegExp]>([
    [
      "a redrive policy without a queue",
      "{ RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:x', maxReceiveCount: 5 } }",
      /: resources\.Jobs\.RedrivePolicy\.deadLetterTargetArn: Expected !GetAtt and a queue's Arn/,
    ],
    ["a variable without a value", "{ VisibilityTimeout: '${env:UNSET}' }", /: resources\.Jobs\.VisibilityTimeout: /],
    ["no number", "{ DelaySeconds: [1] }", /: resources\.Jobs\.DelaySeconds: Expected a number/],
  ])("are refused with %s", (_what, properties, message) => {
    const refused = () => parseResources("Resources:", `  Jobs: { Type: AWS::SQS::Queue, Properties: ${properties} }`);
    expect(refused).toThrow(StartError);
    expect(refused).toThrow(message);
  });

  it("are refused where their file isn't there", () => {
    const file = "${file(nowhere.yml)}";
    expect(() => parseResources(`- ${file}`)).toThrow(
      `${FILE}: resources.0: ${file} has no value; name a file that is there`,
    );
  });
});
