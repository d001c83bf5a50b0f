import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { TEST_START } from "@topicast/testing";
import { type EchoHost, GATEWAY_ID, startEchoHost } from "./echo-host.ts";
import { connectClient } from "./web-socket-client.ts";

let echo: EchoHost;

beforeEach(async () => {
  echo = await startEchoHost();
});

afterEach(() => echo.host.close());

describe("a connection that the gateway closes", () => {
  it("is closed with 1009 for a frame over 32 KB", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    client.send("x".repeat(32_769));
    const reason = "Max frame length of 32768 has been exceeded.";
    expect(await client.closed).toEqual({ code: 1009, reason });
    expect((await echo.recorder.next()).requestContext).toMatchObject({
      disconnectStatusCode: 1009,
      disconnectReason: reason,
    });
  });

  it("is closed with 1009 for a message over 128 KB", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    for (let part = 1; part <= 5; part += 1) client.socket.send("x".repeat(32_768), { fin: part === 5 });
    expect((await client.closed).code).toBe(1009);
    expect((await echo.recorder.next()).requestContext.disconnectStatusCode).toBe(1009);
  });

  it("is closed with 1003 for a binary frame", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    client.socket.send(Buffer.from("hi"));
    expect((await client.closed).code).toBe(1003);
    expect((await echo.recorder.next()).requestContext.disconnectStatusCode).toBe(1003);
  });

  it("is closed with 1008 where the client asks and never reads", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    client.socket.pause();
    // The sockets' own buffers hold some megabytes.
    for (let sent = 0; sent < 1_000; sent += 1) client.send("x".repeat(32_000));
    expect((await echo.recorder.next()).requestContext.disconnectStatusCode).toBe(1008);
    client.socket.resume();
    expect((await client.closed).code).toBe(1008);
  });

  it("is closed with 1001 after ten idle minutes; protocol pings don't count", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    await echo.clock.advance(590_000);
    client.socket.ping();
    await once(client.socket, "pong");
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    await echo.clock.advance(10_000);
    expect(await client.closed).toEqual({ code: 1001, reason: "Going away" });
    expect((await echo.recorder.next()).requestContext).toMatchObject({
      eventType: "DISCONNECT",
      disconnectStatusCode: 1001,
    });
  });

  it("is kept by protocol pings where the host is told that they count", async () => {
    await echo.host.close();
    echo = await startEchoHost({ pingsCountAsFrames: true });
    const client = await connectClient(echo.url);
    await echo.clock.advance(590_000);
    client.socket.ping();
    await once(client.socket, "pong");
    await echo.clock.advance(590_000);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    await echo.clock.advance(10_000);
    expect(await client.closed).toEqual({ code: 1001, reason: "Going away" });
  });

  it("is kept by posts, and closed with 1001 after two hours all the same", async () => {
    const client = await connectClient(echo.url);
    const { connectionId } = (await echo.recorder.next()).requestContext;
    for (let minutes = 0; minutes < 117; minutes += 9) {
      await echo.clock.advance(9 * 60_000);
      expect(await echo.post(connectionId)).toBe(200);
    }
    await echo.clock.advance(3 * 60_000);
    expect(await client.closed).toEqual({ code: 1001, reason: "Going away" });
  }, 20_000);
});

describe("$disconnect", () => {
  it("gets what AWS tells of a closed connection, to the field", async () => {
    const client = await connectClient(echo.url);
    const { connectionId, apiId } = (await echo.recorder.next()).requestContext;
    await echo.clock.advance(1_000);
    client.socket.close();
    const event = await echo.recorder.next();
    const headers = { Host: `127.0.0.1:${echo.host.port}`, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" };
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
        domainName: `127.0.0.1:${echo.host.port}`,
        connectionId,
        apiId,
      },
      isBase64Encoded: false,
    });
  });

  it("gets the client's own code and reason", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    client.socket.close(4001, "bored");
    expect((await echo.recorder.next()).requestContext).toMatchObject({
      disconnectStatusCode: 4001,
      disconnectReason: "bored",
    });
  });

  it("gets 1006 for a lost client", async () => {
    const client = await connectClient(echo.url);
    await echo.recorder.next();
    client.socket.terminate();
    const { disconnectStatusCode, disconnectReason } = (await echo.recorder.next()).requestContext;
    expect([disconnectStatusCode, disconnectReason]).toEqual([1006, "Connection closed abnormally"]);
  });

  it("is left out where a fault says so", async () => {
    const asked = new Promise<string>((resolve) => {
      echo.faults.disconnect = (_service, connectionId) => {
        resolve(connectionId);
        return true;
      };
    });
    const client = await connectClient(echo.url);
    const { connectionId } = (await echo.recorder.next()).requestContext;
    client.socket.close();
    expect(await asked).toBe(connectionId);
    await connectClient(echo.url);
    expect((await echo.recorder.next()).requestContext.eventType).toBe("CONNECT");
  });

  it("is delivered for everyone when the host closes, with 1001", async () => {
    const clients = await Promise.all([connectClient(echo.url), connectClient(echo.url)]);
    await echo.recorder.next();
    await echo.recorder.next();
    await echo.host.close();
    for (const { closed } of clients) expect(await closed).toEqual({ code: 1001, reason: "Going away" });
    for (const _ of clients) expect((await echo.recorder.next()).requestContext.disconnectStatusCode).toBe(1001);
  });
});
