import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { TEST_START } from "@topicast/testing";
import { type EchoHost, errorFrame, GATEWAY_ID, startEchoHost } from "./echo-host.ts";
import { connectClient } from "./web-socket-client.ts";

let echo: EchoHost;

beforeEach(async () => {
  echo = await startEchoHost();
});

afterEach(() => echo.host.close());

describe("a message", () => {
  it("makes an event, to the field", async () => {
    const client = await connectClient(echo.url);
    const { connectionId, apiId } = (await echo.recorder.next()).requestContext;
    client.send('{"action":"echo"}');
    const event = JSON.parse(await client.next());
    expect(event).toEqual({
      requestContext: {
        routeKey: "echo",
        messageId: expect.stringMatching(GATEWAY_ID),
        eventType: "MESSAGE",
        extendedRequestId: event.requestContext.requestId,
        requestTime: "01/Jan/2026:00:00:00 +0000",
        messageDirection: "IN",
        stage: "echo",
        connectedAt: TEST_START,
        requestTimeEpoch: TEST_START,
        identity: { sourceIp: "127.0.0.1" },
        requestId: expect.stringMatching(GATEWAY_ID),
        domainName: `127.0.0.1:${echo.host.port}`,
        connectionId,
        apiId,
      },
      body: '{"action":"echo"}',
      isBase64Encoded: false,
    });
  });

  it.each([
    ['{"action":"echo"}', "echo"],
    ['{"action":7}', "7"],
    ['{"action":"unknown"}', "$default"],
    ['{"action":null}', "$default"],
    ['{"action":{"a":1}}', "$default"],
    ['{"other":1}', "$default"],
    ["not JSON", "$default"],
    ["[1]", "$default"],
    ["", "$default"],
  ])("%s goes to %s", async (message, routeKey) => {
    const client = await connectClient(echo.url);
    client.send(message);
    const event = JSON.parse(await client.next());
    expect(event).toMatchObject({ body: message, requestContext: { routeKey } });
  });

  it("is forbidden where no route takes it", async () => {
    const client = await connectClient(echo.host.webSocketUrl("bare"));
    client.send("anything");
    expect(await client.next()).toMatch(errorFrame("Forbidden"));
  });

  it("can name $disconnect: a message still, and the connection stays", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    client.send('{"action":"$disconnect"}');
    expect((await echo.recorder.next()).requestContext).toMatchObject({
      routeKey: "$disconnect",
      eventType: "MESSAGE",
    });
    client.send('{"action":"echo"}');
    expect(JSON.parse(await client.next()).requestContext.eventType).toBe("MESSAGE");
  });

  it("has no answer where the route has no route response, or its function returns no body", async () => {
    const client = await connectClient(echo.url);
    client.send('{"action":"silent"}');
    client.send('{"action":"answer","value":{"statusCode":200}}');
    client.send('{"action":"answer"}');
    client.send('{"action":"echo","last":true}');
    expect(JSON.parse(await client.next()).body).toBe('{"action":"echo","last":true}');
  });

  it("is answered with an error where the handler throws, with or without a route response", async () => {
    const client = await connectClient(echo.url);
    client.send('{"action":"throw"}');
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(echo.host.lines[0]).toMatch(/^echo\/throw: TypeError: no such thing\n.*echo\/handlers\.ts:\d+:\d+/);
  });

  it("is answered with an error where the handler's body is no string or too large", async () => {
    const client = await connectClient(echo.url);
    client.send('{"action":"answer","value":{"body":{}}}');
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(echo.host.lines).toEqual(["echo/answer: the handler returned a body that is no string"]);
  });

  it("is answered with an error where the function outlasts its timeout", async () => {
    const client = await connectClient(echo.url);
    client.send('{"action":"stuck"}');
    client.send('{"action":"echo"}');
    await client.next();
    await echo.clock.advance(3_000);
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(echo.host.lines).toEqual(["echo/stuck: Task timed out after 3.00 seconds"]);
  });

  it("is answered with an error where the function outlasts the gateway's 29 s", async () => {
    const client = await connectClient(echo.url);
    client.send('{"action":"slow"}');
    client.send('{"action":"echo"}');
    await client.next();
    await echo.clock.advance(29_000);
    expect(await client.next()).toMatch(errorFrame("Endpoint request timed out"));
    expect(echo.host.lines).toEqual([]);
  });

  it("may be 128 KB in frames of 32 KB", async () => {
    const client = await connectClient(echo.url);
    const quarter = "x".repeat(32_768);
    for (const part of [1, 2, 3, 4]) client.socket.send(quarter, { fin: part === 4 });
    // The echoed event holds the body, and is too large for an answer.
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(echo.host.lines[0]).toMatch(/^echo\/echo: the handler returned a body of \d+ bytes, 131072 are allowed$/);
  });
});
