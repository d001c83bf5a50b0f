import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { TEST_START, type TestClock, testClock } from "@topicast/testing";
import type { HostFaults } from "../src/index.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { connectClient, type WebSocketClient } from "./web-socket-client.ts";

const UNKNOWN = "AAAAAAAAAAAAAAA=";

let host: FixtureHost;
let recorder: Recorder;
let clock: TestClock;
let postFault: ReturnType<NonNullable<HostFaults["request"]>>;
let sdk: ApiGatewayManagementApiClient;
let client: WebSocketClient;
let ConnectionId: string;

beforeEach(async () => {
  recorder = createRecorder();
  clock = testClock();
  postFault = undefined;
  host = await startFixtures(["echo"], {
    clock,
    ports: recorder.wrapPorts,
    faults: { request: () => postFault },
    limits: { maxBufferedBytes: 100_000 },
  });
  sdk = new ApiGatewayManagementApiClient({
    endpoint: `${host.url}/echo`,
    region: "us-east-1",
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
    maxAttempts: 1,
  });
  client = await connectClient(host.webSocketUrl("echo"), { headers: { "User-Agent": "test/1" } });
  ConnectionId = (await recorder.next()).requestContext.connectionId;
});

afterEach(async () => {
  sdk.destroy();
  await host.close();
});

function post(Data: string, id = ConnectionId) {
  return sdk.send(new PostToConnectionCommand({ ConnectionId: id, Data }));
}

function fetchConnection(path: string, options: RequestInit = {}): Promise<Response> {
  return fetch(`${host.url}${path}`, options);
}

describe("the real SDK", () => {
  it("posts text to a client", async () => {
    const { $metadata } = await post("héllo");
    expect($metadata.httpStatusCode).toBe(200);
    expect(await client.next()).toBe("héllo");
  });

  it("looks at a connection", async () => {
    await clock.advance(5_000);
    await post("hi");
    const { ConnectedAt, LastActiveAt, Identity } = await sdk.send(new GetConnectionCommand({ ConnectionId }));
    expect(ConnectedAt).toEqual(new Date(TEST_START));
    expect(LastActiveAt).toEqual(new Date(TEST_START + 5_000));
    expect(Identity).toEqual({ SourceIp: "127.0.0.1", UserAgent: "test/1" });
  });

  it("deletes a connection", async () => {
    const { $metadata } = await sdk.send(new DeleteConnectionCommand({ ConnectionId }));
    expect($metadata.httpStatusCode).toBe(204);
    expect((await client.closed).code).toBe(1000);
    expect((await recorder.next()).requestContext).toMatchObject({
      disconnectStatusCode: 1000,
      disconnectReason: "Connection Closed Normally",
    });
    await expect(post("late")).rejects.toMatchObject({ name: "GoneException" });
  });

  it("meets GoneException for an unknown id, whatever it asks", async () => {
    const gone = { name: "GoneException", $metadata: expect.objectContaining({ httpStatusCode: 410 }) };
    await expect(post("hi", UNKNOWN)).rejects.toMatchObject(gone);
    await expect(sdk.send(new GetConnectionCommand({ ConnectionId: UNKNOWN }))).rejects.toMatchObject(gone);
    await expect(sdk.send(new DeleteConnectionCommand({ ConnectionId: UNKNOWN }))).rejects.toMatchObject(gone);
  });

  it("meets BadRequestException for a malformed id", async () => {
    await expect(post("hi", "nonsense")).rejects.toMatchObject({
      name: "BadRequestException",
      message: "Invalid connectionId: nonsense",
      $metadata: expect.objectContaining({ httpStatusCode: 400 }),
    });
  });

  it("meets 413 for more than 128 KB, and gets 128 KB through", async () => {
    await expect(post("x".repeat(131_073))).rejects.toMatchObject({
      name: "PayloadTooLargeException",
      $metadata: expect.objectContaining({ httpStatusCode: 413 }),
    });
    await post("x".repeat(131_072));
    expect(await client.next()).toHaveLength(131_072);
  });

  it("meets LimitExceededException where the client takes nothing off its buffer", async () => {
    client.socket.pause();
    const limited = { name: "LimitExceededException", $metadata: expect.objectContaining({ httpStatusCode: 429 }) };
    const flood = async () => {
      // The sockets' own buffers hold some megabytes.
      for (let sent = 0; sent < 500; sent += 1) await post("x".repeat(131_072));
    };
    await expect(flood()).rejects.toMatchObject(limited);
    client.socket.resume();
  });

  it.each([
    ["gone", "GoneException", 410],
    ["throttled", "LimitExceededException", 429],
    ["failed", "InternalServerErrorException", 500],
  ] as const)("meets an injected %s as %s", async (fault, name, httpStatusCode) => {
    postFault = fault;
    await expect(post("hi")).rejects.toMatchObject({ name, $metadata: expect.objectContaining({ httpStatusCode }) });
  });
});

describe("a request that hangs on purpose", () => {
  it("is never answered", async () => {
    postFault = "hang";
    const abort = new AbortController();
    const command = new PostToConnectionCommand({ ConnectionId, Data: "hi" });
    const posting = sdk.send(command, { abortSignal: abort.signal });
    // What is asked later is answered, the post is not.
    await fetchConnection("/");
    const won = await Promise.race([posting, fetchConnection("/").then(() => "nothing yet")]);
    expect(won).toBe("nothing yet");
    abort.abort();
    await expect(posting).rejects.toMatchObject({ name: "AbortError" });
  });

  it("is a failure to handlers that post in process", async () => {
    postFault = "hang";
    const { gateway } = host.ports("echo");
    const target = { id: ConnectionId as never, address: "", connectedAt: 0 };
    expect(await gateway.post([target], "hi")).toEqual({ gone: [], throttled: [], failed: [target] });
    await expect(gateway.look(target)).rejects.toThrow("The request about the connection failed.");
  });
});

describe("over plain HTTP", () => {
  it("takes an id plain or escaped", async () => {
    expect((await fetchConnection(`/echo/@connections/${ConnectionId}`)).status).toBe(200);
    expect((await fetchConnection(`/echo/@connections/${encodeURIComponent(ConnectionId)}`)).status).toBe(200);
  });

  it("answers a post with an empty 200", async () => {
    const response = await fetchConnection(`/echo/@connections/${ConnectionId}`, { method: "POST", body: "hi" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it("answers 410 with an empty body and the header that the SDK reads", async () => {
    const response = await fetchConnection(`/echo/@connections/${UNKNOWN}`);
    expect([response.status, await response.text()]).toEqual([410, ""]);
    expect(response.headers.get("x-amzn-errortype")).toBe("GoneException");
  });

  it.each(["short", "AAAAAAAAAAAAAAB=", "AAAAAAAAAAAAAAAA", "%E0%A4%A"])("refuses the malformed id %s", async (id) => {
    expect((await fetchConnection(`/echo/@connections/${id}`)).status).toBe(400);
  });

  it("answers 403 where the stage is missing", async () => {
    const response = await fetchConnection(`/@connections/${ConnectionId}`);
    expect([response.status, await response.text()]).toEqual([403, '{"message":"Forbidden"}']);
  });
});

describe("the gateway that handlers get", () => {
  const target = (id: string) => ({ id: id as never, address: "", connectedAt: 0 });

  it("goes to the same connections", async () => {
    const { gateway } = host.ports("echo");
    const failures = await gateway.post([target(ConnectionId), target(UNKNOWN)], "hi");
    expect(failures).toEqual({ gone: [target(UNKNOWN)], throttled: [], failed: [] });
    expect(await client.next()).toBe("hi");
    expect(await gateway.look(target(UNKNOWN))).toBeUndefined();
    expect(await gateway.look(target(ConnectionId))).toMatchObject({ connectedAt: TEST_START, userAgent: "test/1" });
    expect(await gateway.close(target(ConnectionId))).toBe("closed");
    expect(await gateway.close(target(ConnectionId))).toBe("gone");
    expect((await client.closed).code).toBe(1000);
  });

  it("fails what is over 128 KB, and meets injected faults", async () => {
    const { gateway } = host.ports("echo");
    const one = [target(ConnectionId)];
    expect((await gateway.post(one, "x".repeat(131_073))).failed).toEqual(one);
    postFault = "throttled";
    expect((await gateway.post(one, "hi")).throttled).toEqual(one);
  });
});
