// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables in a serverless.yml look like templates
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { bundleFunctions } from "../src/bundle.ts";
import { StartError } from "../src/index.ts";
import { parseServiceDefinition, readServiceDefinition } from "../src/service-definition.ts";
import { fixture, startFixtures } from "./fixture-host.ts";

const FOLDER = "/services/chat";
const FILE = "/services/chat/serverless.yml";

function parse(text: string, env: Record<string, string> = {}) {
  return parseServiceDefinition(text, FOLDER, env);
}

/** A function's definition with these lines in it. */
function parseFunction(lines: string[], env: Record<string, string> = {}) {
  const text = [
    "provider: {}",
    "functions:",
    "  one:",
    "    handler: src/one.handler",
    ...lines.map((line) => `    ${line}`),
  ];
  const [first] = parse(text.join("\n"), env).functions;
  return first;
}

function environmentOf(value: string, env: Record<string, string> = {}, rest = ""): unknown {
  const text = `provider:\n  stage: dev\n  environment:\n    VALUE: ${value}\nfunctions:\n  one: { handler: a.b }\n${rest}`;
  return parse(text, env).functions[0]?.environment.VALUE;
}

describe("a service's definition", () => {
  it("has the folder's name and osls's defaults", () => {
    expect(parse("provider: {}\nfunctions:\n  one: { handler: src/handlers/one.main }")).toEqual({
      name: "chat",
      folder: FOLDER,
      routeSelectionPath: ["action"],
      functions: [
        {
          name: "one",
          handlerFile: "src/handlers/one",
          handlerExport: "main",
          timeoutMs: 6_000,
          memoryMb: 1_024,
          environment: {},
          references: {},
          webSocketRoutes: [],
          httpRouteKeys: [],
          queueSources: [],
        },
      ],
      resources: { tables: [], queues: [] },
    });
  });

  it("takes a function's own settings over the provider's", () => {
    const text = [
      "provider: { timeout: 20, memorySize: 256, environment: { A: provider, B: 1, C: true } }",
      "functions:",
      "  one: { handler: a.b, timeout: 3, environment: { A: function } }",
      "  two: { handler: a.b, memorySize: 512 }",
    ];
    expect(parse(text.join("\n")).functions).toMatchObject([
      { timeoutMs: 3_000, memoryMb: 256, environment: { A: "function", B: "1", C: "true" } },
      { timeoutMs: 20_000, memoryMb: 512, environment: { A: "provider", B: "1", C: "true" } },
    ]);
  });

  it("reads the route selection expression", () => {
    const text = "provider: { websocketsApiRouteSelectionExpression: $request.body.to.where }\nfunctions: {}";
    expect(parse(text).routeSelectionPath).toEqual(["to", "where"]);
  });

  it("reads every way to write an event", () => {
    const definition = parseFunction([
      "events:",
      "  - websocket: $connect",
      "  - websocket: { route: ask, routeResponseSelectionExpression: $default }",
      "  - httpApi: GET /things/{id}",
      "  - httpApi: { method: post, path: /things }",
      "  - httpApi: { method: '*', path: /any }",
      "  - httpApi: '*'",
      "  - sqs: arn:aws:sqs:us-east-1:1:jobs",
      "  - sqs: { arn: !GetAtt Jobs.Arn, batchSize: 5, maximumConcurrency: 2, functionResponseType: ReportBatchItemFailures }",
      "  - sqs: { arn: !GetAtt Jobs.Arn, enabled: false }",
      "  - schedule: rate(1 hour)",
    ]);
    expect(definition).toMatchObject({
      webSocketRoutes: [
        { routeKey: "$connect", answers: false },
        { routeKey: "ask", answers: true },
      ],
      httpRouteKeys: ["GET /things/{id}", "POST /things", "ANY /any", "$default"],
      queueSources: [
        { batchSize: 10, maxConcurrency: 10, reportsItemFailures: false },
        { queueId: "Jobs", batchSize: 5, maxConcurrency: 2, reportsItemFailures: true },
      ],
    });
  });
});

describe("a variable", () => {
  const REST = "custom: { stage: { dev: 1, name: '${sls:stage}' }, loop: '${self:custom.loop}' }";

  it.each<[string, unknown]>([
    ["${env:NAME}", "set"],
    ["${env:OTHER, 'default'}", "default"],
    ["${env:OTHER, ''}", ""],
    ["${env:OTHER, env:NAME}", "set"],
    ["${env:OTHER, ${env:NAME}}", "set"],
    ["${env:OTHER, 'a, b'}", "a, b"],
    ["${env:OTHER, 5}", "5"],
    ["${opt:stage, 'prod'}", "prod"],
    ["${sls:stage}", "dev"],
    ["${aws:region}", "us-east-1"],
    ["${self:provider.stage}", "dev"],
    ["${self:custom.stage.${sls:stage}}", "1"],
    ["${self:custom.stage.name}", "dev"],
    ["a-${env:NAME}-${sls:stage}", "a-set-dev"],
  ])("%s is %j", (text, value) => {
    expect(environmentOf(`"${text}"`, { NAME: "set" }, REST)).toBe(value);
  });

  it("takes whole numbers as text too", () => {
    const lines = ["timeout: '${env:TIMEOUT}'", "events:", "  - sqs: { arn: a, batchSize: '${env:BATCH}' }"];
    const definition = parseFunction(lines, { TIMEOUT: "7", BATCH: "3" });
    expect(definition).toMatchObject({ timeoutMs: 7_000, queueSources: [{ batchSize: 3 }] });
  });

  it("takes a part of another file, its variables resolved", async () => {
    const folder = await mkdtemp(join(tmpdir(), "service-"));
    await writeFile(join(folder, "more.yml"), "a: { b: '${env:NAME}' }");
    const text = (value: string) =>
      `provider: { environment: { VALUE: "${value}" } }\nfunctions: { one: { handler: a.b } }`;
    const resolved = (value: string) =>
      parseServiceDefinition(text(value), folder, { NAME: "set" }).functions[0]?.environment.VALUE;
    expect(resolved("${file(more.yml):a.b}")).toBe("set");
    expect(resolved("${file(less.yml):a.b, 'default'}")).toBe("default");
    expect(() => resolved("${file(less.yml):a.b}")).toThrow(/\$\{file\(less\.yml\):a\.b\} has no value/);
  });

  it.each(["${cf:stack.output}", "${ssm:/path}", "a-${param:key}", "${AWS::Region}", "${file(./x.js):y}"])(
    "%s has a value only when deployed, and is left out",
    (text) => expect(environmentOf(`"${text}"`)).toBeUndefined(),
  );

  it.each([
    [
      "${env:OTHER}",
      `${FILE}: provider.environment.VALUE: \${env:OTHER} has no value; set it, or give a default: \${env:OTHER, '…'}`,
    ],
    ["${self:custom.loop}", `${FILE}: provider.environment.VALUE: variables point at each other in a circle`],
    ["${env:OTHER", `${FILE}: provider.environment.VALUE: a variable is not closed: \${env:OTHER`],
  ])("%s is refused", (text, message) => {
    expect(() => environmentOf(`"${text}"`, {}, REST)).toThrow(new StartError(message));
  });
});

describe("what CloudFormation fills in", () => {
  it.each([
    "!Ref Table",
    "!GetAtt Queue.Arn",
    "!Sub 'https://${Api}.example.com'",
    "!Sub ['${A}', { A: !Ref B }]",
    "!If [Yes, !Ref A, b]",
    "{ Ref: Table }",
    "{ 'Fn::GetAtt': [Queue, Arn] }",
    "{ 'Fn::Sub': '${Api}' }",
    "'{{resolve:ssm:/chat/dev/key}}'",
    "'{{resolve:ssm:/chat/${sls:stage}/key}}'",
  ])("%s is left out of the environment", (value) => {
    expect(environmentOf(value)).toBeUndefined();
  });
});

describe("a broken serverless.yml is refused in one line that names file and field:", () => {
  it.each([
    [
      "no YAML",
      "a: [",
      `${FILE}:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]`,
    ],
    ["no mapping", "just text", `${FILE}: is not a mapping with "provider" and "functions"`],
    ["no functions", "provider: {}", /serverless\.yml: functions: /],
    [
      "a wrong timeout",
      "provider: {}\nfunctions: { a: { handler: b.c, timeout: long } }",
      /: functions\.a\.timeout: .*"long"/,
    ],
    ["no handler", "provider: {}\nfunctions: { a: {} }", /: functions\.a\.handler: /],
    [
      "a handler without an export",
      "provider: {}\nfunctions: { a: { handler: b } }",
      /: functions\.a\.handler: Expected the file's path/,
    ],
    [
      "an authorizer of an HTTP API",
      "provider: {}\nfunctions: { a: { handler: b.c, events: [{ httpApi: { path: /x, authorizer: a } }] } }",
      /: functions\.a\.events\.0\.httpApi\.authorizer: The local host runs no authorizers of HTTP APIs/,
    ],
    [
      "an authorizer that is no function",
      "provider: {}\nfunctions: { a: { handler: b.c, events: [{ websocket: { route: $connect, authorizer: d } }] } }",
      /: functions\.a: its authorizer d is no function of this service$/,
    ],
    [
      "an authorizer of another route",
      "provider: {}\nfunctions: { a: { handler: b.c, events: [{ websocket: { route: ping, authorizer: a } }] } }",
      /: functions\.a: the route ping has an authorizer; API Gateway runs one on \$connect alone$/,
    ],
    [
      "an identity source that API Gateway hasn't",
      "provider: {}\nfunctions: { a: { handler: b.c, events: [{ websocket: { route: $connect, authorizer: { name: a, identitySource: [body.x] } } }] } }",
      /: functions\.a\.events\.0\.websocket\.authorizer\.identitySource\.0: Expected route\.request\.header\./,
    ],
    [
      "a wrong method",
      "provider: {}\nfunctions: { a: { handler: b.c, events: [{ httpApi: GRAB /x }] } }",
      /: functions\.a\.events\.0\.httpApi\.method: /,
    ],
    [
      "another selection expression",
      "provider: { websocketsApiRouteSelectionExpression: $request.header.x }\nfunctions: {}",
      /: provider\.websocketsApiRouteSelectionExpression: Expected \$request\.body\./,
    ],
  ])("%s", (_what, text, message) => {
    const refused = expect(() => parse(text));
    refused.toThrow(StartError);
    refused.toThrow(message);
    refused.not.toThrow(/\n/);
  });

  it("no file", async () => {
    await expect(readServiceDefinition("/nowhere", {})).rejects.toThrow(
      "/nowhere/serverless.yml: can't be read; a service is a folder with a serverless.yml",
    );
  });
});

describe("a handler that doesn't build", () => {
  it("is named with what is wrong with it", async () => {
    const service = { ...(await readServiceDefinition(fixture("bare"), {})) };
    const functions = service.functions.map((definition) => ({ ...definition, handlerFile: "src/nothing" }));
    await expect(bundleFunctions({ ...service, functions })).rejects.toThrow(/^bare: Could not resolve .*src\/nothing/);
  });
});

describe("a host", () => {
  it("refuses two services of one name", async () => {
    await expect(startFixtures(["bare", "bare"])).rejects.toThrow(
      'Two services are called "bare"; rename one of the folders',
    );
  });
});
