import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { ConnectionGateway, ConnectionId, Target } from "@topicast/core";
import { type EchoHost, startEchoHost } from "./echo-host.ts";
import { connectClient, type WebSocketClient } from "./web-socket-client.ts";

let echo: EchoHost;
let gateway: ConnectionGateway;

beforeEach(async () => {
  echo = await startEchoHost();
  ({ gateway } = echo.host.ports("echo"));
});

afterEach(() => echo.host.close());

async function open(): Promise<WebSocketClient & { readonly target: Target }> {
  const client = await connectClient(echo.url);
  const { connectionId, connectedAt } = (await echo.recorder.next()).requestContext;
  return { ...client, target: { id: connectionId as ConnectionId, address: "", connectedAt } };
}

const LARGE = "x".repeat(100_000);
/** More than the buffers of a system and all that the host keeps. */
const MANY = 1_000;

type Outcome = "posted" | "gone" | "throttled" | "failed";

async function post(target: Target, text: string): Promise<Outcome> {
  const { gone, throttled, failed } = await gateway.post([target], text);
  if (gone.length > 0) return "gone";
  if (throttled.length > 0) return "throttled";
  return failed.length > 0 ? "failed" : "posted";
}

describe("a client that doesn't read", () => {
  it("is throttled, then closed with 1008 and counted; who reads is not held up", async () => {
    const [slow, reader] = [await open(), await open()];
    slow.socket.pause();
    const outcomes: Outcome[] = [];
    while (outcomes.length < MANY && outcomes.at(-1) !== "gone") {
      outcomes.push(await post(slow.target, LARGE));
      expect(await post(reader.target, LARGE)).toBe("posted");
      expect(await reader.next()).toBe(LARGE);
    }
    expect([...new Set(outcomes)]).toEqual(["posted", "throttled", "gone"]);
    expect(echo.host.slowReaders()).toBe(1);
    expect((await echo.recorder.next()).requestContext).toMatchObject({
      connectionId: slow.target.id,
      disconnectStatusCode: 1008,
    });
    slow.socket.resume();
    expect((await slow.closed).code).toBe(1008);
  }, 20_000);

  it("gets all that was taken for it when it reads again, and is as good as any other", async () => {
    const client = await open();
    client.socket.pause();
    let posted = 0;
    while (posted < MANY && (await post(client.target, LARGE)) === "posted") {
      posted += 1;
      // Whatever the system takes is taken now.
      await turn();
    }
    client.socket.resume();
    for (let got = 0; got < posted; got += 1) expect(await client.next()).toBe(LARGE);
    expect(await post(client.target, "more")).toBe("posted");
    expect(await client.next()).toBe("more");
    expect(echo.host.slowReaders()).toBe(0);
  }, 20_000);
});

describe("frames to a client", () => {
  it("come before the close that follows them", async () => {
    const client = await open();
    await gateway.post([client.target], "last words");
    await gateway.close(client.target);
    expect(await client.next()).toBe("last words");
    expect((await client.closed).code).toBe(1000);
  });

  it("come before the answers to its pings and its close", async () => {
    const client = await open();
    const order: string[] = [];
    client.socket.on("message", (data) => order.push(data.toString()));
    client.socket.on("pong", () => order.push("pong"));
    const ponged = once(client.socket, "pong");
    // Once immediates have run, what the client sends is read before they run again, and they write what is due.
    await turn();
    client.socket.ping();
    await post(client.target, "first");
    await ponged;
    expect(order).toEqual(["first", "pong"]);
    await turn();
    client.socket.close();
    await post(client.target, "second");
    await client.closed;
    expect(order).toEqual(["first", "pong", "second"]);
  });
});
