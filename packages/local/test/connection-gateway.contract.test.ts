import { type ConnectionGateway, type ConnectionId, systemClock, type Target } from "@topicast/core";
import { type ConnectionGatewayHarness, describeConnectionGatewayContract, testClock } from "@topicast/testing";
import WebSocket from "ws";
import { createGatewayClient } from "../../core/src/drivers/aws-clients.ts";
import { createApiGateway } from "../../core/src/drivers/connection-gateway/api-gateway.ts";
import { createHostGateway } from "../src/host-gateway.ts";
import type { HostFaults } from "../src/index.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";

const CREDENTIALS = { accessKeyId: "any", secretAccessKey: "any" };

describeConnectionGatewayContract("the host, in process", () => startHarness((host) => host.ports("echo").gateway));

describeConnectionGatewayContract("API Gateway's management API, over HTTP", () =>
  startHarness((host) => {
    const endpoint = `${host.url}/echo`;
    const client = createGatewayClient({ endpoint, concurrency: 64, region: "us-east-1", credentials: CREDENTIALS });
    const logger = { warn: () => {}, error: () => {} };
    return createApiGateway({ client, logger, clock: systemClock, concurrency: 64, timeoutMs: 3_000 });
  }),
);

describeConnectionGatewayContract("the host, as another host reaches it", () =>
  startHarness(() => {
    const address = "http://127.0.0.1:1/echo";
    const local: ConnectionGateway = {
      post: async (targets) => ({ gone: targets, throttled: [], failed: [] }),
      close: async () => "gone",
      look: async () => undefined,
    };
    return createHostGateway({ address, local, sign: undefined, clock: systemClock, log: () => {} });
  }),
);

/** A host with real clients, and a gateway to them. */
async function startHarness(gatewayOf: (host: FixtureHost) => ConnectionGateway): Promise<ConnectionGatewayHarness> {
  const clock = testClock();
  const refusals = new Map<string, "throttled" | "failed">();
  const requests: string[] = [];
  let shakeHands = (_id: string) => {};
  const ended = new Map<string, () => void>();
  const faults: HostFaults = {
    request(_service, id) {
      requests.push(id);
      return refusals.get(id);
    },
    handshake: async (_service, id) => shakeHands(id),
    disconnect(_service, id) {
      ended.get(id)?.();
      return true;
    },
  };
  const host = await startFixtures(["echo"], { clock, faults });

  async function open() {
    const opening = new Promise<string>((resolve) => {
      shakeHands = resolve;
    });
    const socket = new WebSocket(host.webSocketUrl("echo"));
    const frames: string[] = [];
    let onFrame = () => {};
    socket.on("message", (data) => {
      frames.push(data.toString());
      onFrame();
    });
    const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    const id = await opening;
    await new Promise<void>((resolve) => void socket.once("open", () => resolve()));
    const target: Target = { id: id as ConnectionId, address: `${host.url}/echo`, connectedAt: clock.now() };
    return {
      target,
      closed,
      received: (count: number) =>
        new Promise<readonly string[]>((resolve) => {
          onFrame = () => frames.length >= count && resolve(frames.slice(0, count));
          onFrame();
        }),
      postCount: () => requests.filter((request) => request === id).length,
      refuse: (outcome: "throttled" | "failed" | undefined) =>
        void (outcome === undefined ? refusals.delete(id) : refusals.set(id, outcome)),
      async vanish() {
        const noticed = new Promise<void>((resolve) => void ended.set(id, resolve));
        socket.terminate();
        await noticed;
      },
    };
  }

  // One handshake at a time: which id is whose is told by their order.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    gateway: gatewayOf(host),
    clock,
    open() {
      const opened = turn.then(open);
      turn = opened;
      return opened;
    },
    close: () => host.close(),
  };
}
