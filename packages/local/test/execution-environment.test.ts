import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { systemClock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import { type TestClock, testClock } from "@topicast/testing";
import { type Bundle, bundleFunctions } from "../src/bundle.ts";
import { createLambdaFunction, type HandlerParts, type LambdaFunction } from "../src/lambda-function.ts";
import { readServiceDefinition, type ServiceDefinition } from "../src/service-definition.ts";
import { fixture } from "./fixture-host.ts";

let service: ServiceDefinition;
let bundles: ReadonlyMap<string, Bundle>;

beforeAll(async () => {
  service = await readServiceDefinition(fixture("warm"), {});
  bundles = await bundleFunctions(service);
});

/** Ports that take a while; the fixture uses no others. */
const ports = {
  address: "",
  apps: {},
  connections: {},
  log: {},
  gateway: {},
  queue: { check: () => delay(1) },
  clock: systemClock,
} as unknown as EmbeddedPorts;

interface WarmFunction extends LambdaFunction {
  readonly lines: string[];
  readonly clock: TestClock;
  readonly parts: HandlerParts;
}

function createFunction(name: string): WarmFunction {
  const definition = service.functions.find((candidate) => candidate.name === name);
  const bundle = bundles.get(name);
  if (definition === undefined || bundle === undefined) throw new Error(`the fixture has no function "${name}"`);
  const lines: string[] = [];
  const clock = testClock();
  const environment = { ...definition.environment, FROM_HOST: "host" };
  const log = (line: string) => void lines.push(line);
  const region = "us-east-1";
  const parts = { bundle, ports, environment };
  return { ...createLambdaFunction({ service, definition, parts, region, clock, log }), lines, clock, parts };
}

describe("what a handler leaves running", () => {
  const kinds = ["timeout", "interval", "immediate", "promisified", "port", "sleep", "fetch"];

  it.each(kinds)("stands still between invocations: %s", async (left) => {
    const leave = createFunction("leave");
    const steps: string[] = [];
    await leave.invoke({ steps, left });
    // Nothing announces that nothing happens: this is far longer than what was left takes.
    await delay(30);
    expect(steps).toEqual(["returned"]);
    await leave.invoke({ steps: [] });
    expect(steps).toEqual(["returned", "left over"]);
    leave.close();
  });

  it.each(kinds)("never goes on once the function is closed: %s", async (left) => {
    const leave = createFunction("leave");
    const steps: string[] = [];
    await leave.invoke({ steps, left });
    leave.close();
    expect(await leave.invoke({ steps })).toEqual({ status: "failed" });
    await delay(30);
    expect(steps).toEqual(["returned"]);
  });

  it("can be cleared when it is due", async () => {
    const leave = createFunction("leave");
    const steps: string[] = [];
    await leave.invoke({ steps, left: "cleared" });
    await delay(30);
    await leave.invoke({ steps: [] });
    expect(steps).toEqual(["returned", "left over"]);
    leave.close();
  });

  it("is reported where it throws", async () => {
    const leave = createFunction("leave");
    await leave.invoke({ steps: [], left: "thrown" });
    await leave.invoke({ steps: [] });
    expect(leave.lines.join("\n")).toMatch(/^warm\/leave: Error: thrown late\n.*warm\/handlers\.ts:\d+/);
    leave.close();
  });
});

describe("an environment", () => {
  it("stays warm, and takes several invocations at once", async () => {
    const count = createFunction("count");
    const values = await Promise.all([count.invoke({}), count.invoke({})]);
    expect(values).toEqual([1, 2].map((value) => ({ status: "returned", value })));
    expect(await count.invoke({})).toEqual({ status: "returned", value: 3 });
  });

  it("is replaced once an invocation outlasts the function's timeout", async () => {
    const count = createFunction("count");
    const late = count.invoke({ until: new Promise<void>(() => undefined) });
    await count.clock.advance(1_999);
    expect(count.lines).toEqual([]);
    await count.clock.advance(1);
    expect(await late).toEqual({ status: "failed" });
    expect(count.lines).toEqual(["warm/count: Task timed out after 2.00 seconds"]);
    expect(await count.invoke({})).toEqual({ status: "returned", value: 1 });
  });

  it("never lets an invocation that outlasted it go on, as its process would be gone", async () => {
    const late = createFunction("late");
    const steps: string[] = [];
    let goOn = () => {};
    const until = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const invocation = late.invoke({ steps, until });
    await late.clock.advance(10_000);
    expect(await invocation).toEqual({ status: "failed" });
    goOn();
    await delay(30);
    expect(steps).toEqual([]);
  });

  it("lets the others of a replaced one come to their end", async () => {
    const count = createFunction("count");
    let finish = () => {};
    const late = count.invoke({ until: new Promise<void>(() => undefined) });
    await count.clock.advance(1_500);
    const other = count.invoke({
      until: new Promise<void>((resolve) => {
        finish = resolve;
      }),
    });
    await count.clock.advance(500);
    expect(await late).toEqual({ status: "failed" });
    finish();
    expect(await other).toEqual({ status: "returned", value: 2 });
  });

  it("keeps its connections between invocations, and until the last one of a replaced one has ended", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const connect = createFunction("connect");
    const accepted = once(server, "connection");
    await connect.invoke({ port });
    const [socket] = (await accepted) as [Socket];
    let finish = () => {};
    const late = connect.invoke({
      port,
      until: new Promise<void>((resolve) => {
        finish = resolve;
      }),
    });
    connect.prepare(connect.parts).take();
    const acceptedAnew = once(server, "connection");
    await connect.invoke({ port });
    const [socketAnew] = (await acceptedAnew) as [Socket];
    expect([socket, socketAnew].map(({ readyState }) => readyState)).toEqual(["open", "open"]);
    const ended = once(socket.resume(), "close");
    finish();
    expect(await late).toEqual({ status: "returned" });
    await ended;
    expect(socketAnew.readyState).toBe("open");
    const endedAnew = once(socketAnew.resume(), "close");
    connect.close();
    await endedAnew;
    server.close();
  });

  it("shows the handler its function's environment, and keeps it from everyone else", async () => {
    const { value } = (await createFunction("describe").invoke({})) as { value: { environment: object } };
    expect(value.environment).toEqual({
      PATH: process.env.PATH,
      TZ: ":UTC",
      FROM_PROVIDER: "provider",
      FROM_BOTH: "function",
      FROM_HOST: "host",
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_LAMBDA_FUNCTION_NAME: "warm-dev-describe",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
      AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/warm-dev-describe",
      AWS_LAMBDA_LOG_STREAM_NAME: "local",
      LAMBDA_TASK_ROOT: fixture("warm"),
      _HANDLER: "handlers.describe",
    });
    expect(process.env.FROM_PROVIDER).toBeUndefined();
    expect(process.env.AWS_LAMBDA_FUNCTION_NAME).toBeUndefined();
  });

  it("gives the handler a Lambda context", async () => {
    const { value } = (await createFunction("describe").invoke({})) as { value: object };
    expect(value).toMatchObject({
      fields: {
        callbackWaitsForEmptyEventLoop: true,
        functionName: "warm-dev-describe",
        functionVersion: "$LATEST",
        invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:warm-dev-describe",
        memoryLimitInMB: "1024",
        awsRequestId: expect.stringMatching(/^[\da-f-]{36}$/),
        logGroupName: "/aws/lambda/warm-dev-describe",
        logStreamName: "local",
      },
      remainingMs: 10_000,
    });
  });

  it("fails each invocation where the module throws or has no such export", async () => {
    const broken = createFunction("broken");
    expect(await broken.invoke({})).toEqual({ status: "failed", message: "no module of mine" });
    expect(broken.lines[0]).toMatch(/^warm\/broken: Error: no module of mine\n.*warm\/broken\.ts:3/);
    const missing = createFunction("missing");
    expect(await missing.invoke({})).toMatchObject({ status: "failed" });
    expect(missing.lines[0]).toMatch(/^warm\/missing: Error: the handler's file exports no function "missing"/);
  });
});
