import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { TEST_START, type TestClock, testClock } from "@topicast/testing";
import type { HostFaults } from "../src/index.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { connectClient, connectRefused } from "./web-socket-client.ts";

const GATEWAY_ID = /^[\w-]{15}=$/;

let host: FixtureHost;
let recorder: Recorder;
let clock: TestClock;
let faults: HostFaults;
let url: string;

beforeEach(async () => {
  recorder = createRecorder();
  clock = testClock();
  faults = {};
  const { wrapPorts: ports } = recorder;
  const offered: HostFaults = {
    handshake: async (...about) => faults.handshake?.(...about),
    disconnect: (...about) => faults.disconnect?.(...about) ?? false,
  };
  host = await startFixtures(["echo", "bare"], { clock, ports, faults: offered });
  url = host.webSocketUrl("echo");
});

afterEach(() => host.close());

function errorFrame(message: string): RegExp {
  return new RegExp(`^{"message": "${message}", "connectionId":"[\\w-]{15}=", "requestId":"[\\w-]{15}="}$`);
}

async function post(connectionId: string, body = "hi"): Promise<number> {
  const response = await fetch(`${host.url}/echo/@connections/${encodeURIComponent(connectionId)}`, { method: "POST", body });
  return response.status;
}

describe("$connect", () => {
  it("gets the handshake, to the field", async () => {
    const headers = { "X-Custom": "1", "User-Agent": "test/1", "x-forwarded-for": "6.6.6.6" };
    await connectClient(`${url}?a=1&a=2&b=%20`, { headers });
    const { headers: seen = {}, multiValueHeaders, requestContext, ...rest } = await recorder.next();
    expect(rest).toEqual({
      queryStringParameters: { a: "2", b: " " },
      multiValueQueryStringParameters: { a: ["1", "2"], b: [" "] },
      isBase64Encoded: false,
    });
    expect(seen).toEqual({
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": expect.any(String),
      "Sec-WebSocket-Extensions": expect.any(String),
      "X-Custom": "1",
      "User-Agent": "test/1",
      Host: `127.0.0.1:${host.port}`,
      "X-Amzn-Trace-Id": expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
      "X-Forwarded-For": "127.0.0.1",
      "X-Forwarded-Port": String(host.port),
      "X-Forwarded-Proto": "http",
    });
    expect(multiValueHeaders).toEqual(Object.fromEntries(Object.entries(seen).map(([name, value]) => [name, [value]])));
    expect(requestContext).toEqual({
      routeKey: "$connect",
      eventType: "CONNECT",
      extendedRequestId: requestContext.requestId,
      requestTime: "01/Jan/2026:00:00:00 +0000",
      messageDirection: "IN",
      stage: "echo",
      connectedAt: TEST_START,
      requestTimeEpoch: TEST_START,
      identity: { userAgent: "test/1", sourceIp: "127.0.0.1" },
      requestId: expect.stringMatching(GATEWAY_ID),
      domainName: `127.0.0.1:${host.port}`,
      connectionId: expect.stringMatching(GATEWAY_ID),
      apiId: expect.stringMatching(/^[a-z0-9]{10}$/),
    });
  });

  it("gets no query where there is none", async () => {
    await connectClient(url);
    const event = await recorder.next();
    expect(Object.keys(event).sort()).toEqual(["headers", "isBase64Encoded", "multiValueHeaders", "requestContext"]);
  });

  it.each([301, 401, 501])("refuses with its own status %i", async (status) => {
    expect(await connectRefused(`${url}?status=${status}`)).toEqual({ status, body: `status ${status}` });
  });

  it("refuses with 502 where it throws, and logs the source's place", async () => {
    const { status, body } = await connectRefused(`${url}?status=throw`);
    expect(status).toBe(502);
    expect(body).toMatch(errorFrame("Internal server error"));
    expect(host.lines.join("\n")).toMatch(/^echo\/connect: Error: not today\n.*echo\/handlers\.ts:\d+:\d+/);
  });

  it("refuses with 502 where it returns no status", async () => {
    expect((await connectRefused(`${url}?status=none`)).status).toBe(502);
    expect(host.lines).toEqual(["echo/$connect: the handler returned no valid statusCode"]);
  });

  it("has the subprotocol echoed that it returns, and only that", async () => {
    const chosen = await connectClient(`${url}?subprotocol=bearer`, {}, ["bearer", "token"]);
    expect(chosen.socket.protocol).toBe("bearer");
    await expect(connectClient(url, {}, ["bearer", "token"])).rejects.toThrow("Server sent no subprotocol");
  });

  it("is waited for: posts meanwhile find nobody", async () => {
    const release = recorder.hold();
    const connecting = connectClient(url);
    const { connectionId } = (await recorder.next()).requestContext;
    expect(await post(connectionId)).toBe(410);
    release();
    const client = await connecting;
    expect(await post(connectionId)).toBe(200);
    expect(await client.next()).toBe("hi");
  });

  it("is followed by the upgrade only after a handshake fault is over", async () => {
    let finish = () => {};
    faults.handshake = () => new Promise((resolve) => { finish = resolve; });
    const connecting = connectClient(url);
    const { connectionId } = (await recorder.next()).requestContext;
    expect(await post(connectionId)).toBe(410);
    finish();
    await connecting;
    expect(await post(connectionId)).toBe(200);
  });

  it("is followed by $disconnect where the client left meanwhile", async () => {
    const release = recorder.hold();
    const connecting = connectClient(url, { handshakeTimeout: 50 });
    const connected = await recorder.next();
    await expect(connecting).rejects.toThrow("Opening handshake has timed out");
    expect(recorder.count).toBe(1);
    release();
    const disconnected = await recorder.next();
    expect(disconnected.requestContext).toMatchObject({
      eventType: "DISCONNECT",
      connectionId: connected.requestContext.connectionId,
      disconnectStatusCode: 1006,
    });
  });

  it("is not needed", async () => {
    const client = await connectClient(host.webSocketUrl("bare"));
    client.send('{"to":{"where":"here"}}');
    expect(JSON.parse(await client.next()).requestContext.routeKey).toBe("here");
  });

  it("is not run for what can't become a WebSocket", async () => {
    expect((await connectRefused(host.webSocketUrl("nowhere"))).status).toBe(404);
    expect((await connectRefused(`${url}/further`)).status).toBe(404);
    expect(recorder.count).toBe(0);
  });
});

describe("a message", () => {
  it("makes an event, to the field", async () => {
    const client = await connectClient(url);
    const { connectionId, apiId } = (await recorder.next()).requestContext;
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
        domainName: `127.0.0.1:${host.port}`,
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
    const client = await connectClient(url);
    client.send(message);
    const event = JSON.parse(await client.next());
    expect(event).toMatchObject({ body: message, requestContext: { routeKey } });
  });

  it("is forbidden where no route takes it", async () => {
    const client = await connectClient(host.webSocketUrl("bare"));
    client.send("anything");
    expect(await client.next()).toMatch(errorFrame("Forbidden"));
  });

  it("can name $disconnect: a message still, and the connection stays", async () => {
    const client = await connectClient(url);
    await recorder.next();
    client.send('{"action":"$disconnect"}');
    expect((await recorder.next()).requestContext).toMatchObject({ routeKey: "$disconnect", eventType: "MESSAGE" });
    client.send('{"action":"echo"}');
    expect(JSON.parse(await client.next()).requestContext.eventType).toBe("MESSAGE");
  });

  it("has no answer where the route has no route response, or its function returns no body", async () => {
    const client = await connectClient(url);
    client.send('{"action":"silent"}');
    client.send('{"action":"answer","value":{"statusCode":200}}');
    client.send('{"action":"answer"}');
    client.send('{"action":"echo","last":true}');
    expect(JSON.parse(await client.next()).body).toBe('{"action":"echo","last":true}');
  });

  it("is answered with an error where the handler throws, with or without a route response", async () => {
    const client = await connectClient(url);
    client.send('{"action":"throw"}');
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(host.lines[0]).toMatch(/^echo\/throw: TypeError: no such thing\n.*echo\/handlers\.ts:\d+:\d+/);
  });

  it("is answered with an error where the handler's body is no string or too large", async () => {
    const client = await connectClient(url);
    client.send('{"action":"answer","value":{"body":{}}}');
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(host.lines).toEqual(["echo/answer: the handler returned a body that is no string"]);
  });

  it("is answered with an error where the function outlasts its timeout", async () => {
    const client = await connectClient(url);
    client.send('{"action":"stuck"}');
    client.send('{"action":"echo"}');
    await client.next();
    await clock.advance(3_000);
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(host.lines).toEqual(["echo/stuck: Task timed out after 3.00 seconds"]);
  });

  it("is answered with an error where the function outlasts the gateway's 29 s", async () => {
    const client = await connectClient(url);
    client.send('{"action":"slow"}');
    client.send('{"action":"echo"}');
    await client.next();
    await clock.advance(29_000);
    expect(await client.next()).toMatch(errorFrame("Endpoint request timed out"));
    expect(host.lines).toEqual([]);
  });

  it("may be 128 KB in frames of 32 KB", async () => {
    const client = await connectClient(url);
    const quarter = "x".repeat(32_768);
    for (const part of [1, 2, 3, 4]) client.socket.send(quarter, { fin: part === 4 });
    // The echoed event holds the body, and is too large for an answer.
    expect(await client.next()).toMatch(errorFrame("Internal server error"));
    expect(host.lines[0]).toMatch(/^echo\/echo: the handler returned a body of \d+ bytes, 131072 are allowed$/);
  });
});

describe("a connection that the gateway closes", () => {
  it("is closed with 1009 for a frame over 32 KB", async () => {
    const client = await connectClient(url);
    await recorder.next();
    client.send("x".repeat(32_769));
    const reason = "Max frame length of 32768 has been exceeded.";
    expect(await client.closed).toEqual({ code: 1009, reason });
    expect((await recorder.next()).requestContext).toMatchObject({ disconnectStatusCode: 1009, disconnectReason: reason });
  });

  it("is closed with 1009 for a message over 128 KB", async () => {
    const client = await connectClient(url);
    await recorder.next();
    for (let part = 1; part <= 5; part += 1) client.socket.send("x".repeat(32_768), { fin: part === 5 });
    expect((await client.closed).code).toBe(1009);
    expect((await recorder.next()).requestContext.disconnectStatusCode).toBe(1009);
  });

  it("is closed with 1003 for a binary frame", async () => {
    const client = await connectClient(url);
    await recorder.next();
    client.socket.send(Buffer.from("hi"));
    expect((await client.closed).code).toBe(1003);
    expect((await recorder.next()).requestContext.disconnectStatusCode).toBe(1003);
  });

  it("is closed with 1001 after ten idle minutes; protocol pings don't count", async () => {
    const client = await connectClient(url);
    await recorder.next();
    await clock.advance(590_000);
    client.socket.ping();
    await once(client.socket, "pong");
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    await clock.advance(10_000);
    expect(await client.closed).toEqual({ code: 1001, reason: "Going away" });
    expect((await recorder.next()).requestContext).toMatchObject({ eventType: "DISCONNECT", disconnectStatusCode: 1001 });
  });

  it("is kept by posts, and closed with 1001 after two hours all the same", async () => {
    const client = await connectClient(url);
    const { connectionId } = (await recorder.next()).requestContext;
    for (let minutes = 0; minutes < 117; minutes += 9) {
      await clock.advance(9 * 60_000);
      expect(await post(connectionId)).toBe(200);
    }
    await clock.advance(3 * 60_000);
    expect(await client.closed).toEqual({ code: 1001, reason: "Going away" });
  }, 20_000);
});

describe("$disconnect", () => {
  it("gets what AWS tells of a closed connection, to the field", async () => {
    const client = await connectClient(url);
    const { connectionId, apiId } = (await recorder.next()).requestContext;
    await clock.advance(1_000);
    client.socket.close();
    const event = await recorder.next();
    const headers = { Host: `127.0.0.1:${host.port}`, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" };
    expect(event).toEqual({
      headers,
      multiValueHeaders: { Host: [headers.Host], "x-api-key": [""], "X-Forwarded-For": [""], "x-restapi": [""] },
      requestContext: {
        routeKey: "$disconnect",
        eventType: "DISCONNECT",
        disconnectStatusCode: 1005,
        disconnectReason: "Client-side close frame status not set",
        extendedRequestId: event.requestContext.requestId,
        requestTime: "01/Jan/2026:00:00:01 +0000",
        messageDirection: "IN",
        stage: "echo",
        connectedAt: TEST_START,
        requestTimeEpoch: TEST_START + 1_000,
        identity: { sourceIp: "127.0.0.1" },
        requestId: expect.stringMatching(GATEWAY_ID),
        domainName: `127.0.0.1:${host.port}`,
        connectionId,
        apiId,
      },
      isBase64Encoded: false,
    });
  });

  it("gets the client's own code and reason", async () => {
    const client = await connectClient(url);
    await recorder.next();
    client.socket.close(4001, "bored");
    expect((await recorder.next()).requestContext).toMatchObject({ disconnectStatusCode: 4001, disconnectReason: "bored" });
  });

  it("gets 1006 for a lost client", async () => {
    const client = await connectClient(url);
    await recorder.next();
    client.socket.terminate();
    const { disconnectStatusCode, disconnectReason } = (await recorder.next()).requestContext;
    expect([disconnectStatusCode, disconnectReason]).toEqual([1006, "Connection closed abnormally"]);
  });

  it("is left out where a fault says so", async () => {
    const asked = new Promise<string>((resolve) => {
      faults.disconnect = (_service, connectionId) => {
        resolve(connectionId);
        return true;
      };
    });
    const client = await connectClient(url);
    const { connectionId } = (await recorder.next()).requestContext;
    client.socket.close();
    expect(await asked).toBe(connectionId);
    await connectClient(url);
    expect((await recorder.next()).requestContext.eventType).toBe("CONNECT");
  });

  it("is delivered for everyone when the host closes, with 1001", async () => {
    const clients = await Promise.all([connectClient(url), connectClient(url)]);
    await recorder.next();
    await recorder.next();
    await host.close();
    for (const { closed } of clients) expect(await closed).toEqual({ code: 1001, reason: "Going away" });
    for (const _ of clients) expect((await recorder.next()).requestContext.disconnectStatusCode).toBe(1001);
  });
});
