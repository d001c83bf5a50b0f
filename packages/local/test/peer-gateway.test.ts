import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type ConnectionGateway, UnavailableError } from "@topicast/core";
import { aTarget, type TestClock, testClock } from "@topicast/testing";
import { createHostGateway } from "../src/host-gateway.ts";
import { createPeerGateway, type PeerGateway } from "../src/peer-gateway.ts";

const NONE = { gone: [], throttled: [], failed: [] };

let clock: TestClock;
let lines: string[];
let ends: (() => Promise<unknown>)[];
beforeEach(() => {
  clock = testClock();
  lines = [];
  ends = [];
});
afterEach(() => Promise.all(ends.map((end) => end())));

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

interface Peer {
  readonly gateway: PeerGateway;
  readonly port: number;
  /** Nobody listens there any more. */
  end(): Promise<void>;
}

/** Another host, which answers as a test says. */
async function startPeer(answer: Answer): Promise<Peer> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const address = new URL(`http://127.0.0.1:${port}/echo`);
  const gateway = createPeerGateway({ address, sign: undefined, clock, log: (line) => lines.push(line) });
  async function end(): Promise<void> {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
  ends.push(end, async () => gateway.stop());
  return { gateway, port, end };
}

const json =
  (status: number, body: object): Answer =>
  (_request, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

describe("posts to another host", () => {
  it("go out by the page, and say who is missed", async () => {
    const pages: number[] = [];
    const { gateway } = await startPeer(async (request, response) => {
      expect([request.method, request.url]).toEqual(["POST", "/echo/@connections"]);
      const body = await text(request);
      const ids = body.slice(0, body.indexOf("\n")).split(",");
      expect(body.slice(body.indexOf("\n") + 1)).toBe("a\nframe");
      pages.push(ids.length);
      json(200, { gone: [0], throttled: [1], failed: [2] })(request, response);
    });
    const targets = Array.from({ length: 1_200 }, () => aTarget());
    const failures = await gateway.post(targets, "a\nframe");
    expect(pages.sort()).toEqual([200, 500, 500]);
    const at = (index: number) => [0, 500, 1_000].map((page) => targets[page + index]);
    expect(failures).toEqual({ gone: at(0), throttled: at(1), failed: at(2) });
  });

  it("are in order where one is awaited after the other, and keep their connection", async () => {
    const frames: string[] = [];
    const sockets = new Set<unknown>();
    const { gateway } = await startPeer(async (request, response) => {
      sockets.add(request.socket);
      frames.push((await text(request)).split("\n")[1] ?? "");
      json(200, NONE)(request, response);
    });
    for (const frame of ["1", "2", "3"]) expect(await gateway.post([aTarget()], frame)).toEqual(NONE);
    expect([frames, sockets.size]).toEqual([["1", "2", "3"], 1]);
  });

  it("find a host gone where nobody listens, though it kept connections before", async () => {
    const peer = await startPeer(json(200, NONE));
    const targets = [aTarget(), aTarget()];
    expect(await peer.gateway.post(targets, "hi")).toEqual(NONE);
    await peer.end();
    expect(await peer.gateway.post(targets, "hi")).toEqual({ ...NONE, gone: targets });
    expect(lines).toEqual([]);
  });

  it("find it gone where something else listens", async () => {
    const { gateway } = await startPeer(json(404, {}));
    const targets = [aTarget()];
    expect(await gateway.post(targets, "hi")).toEqual({ ...NONE, gone: targets });
  });

  it.each([
    [500, {}],
    [403, {}],
    [200, { gone: "all" }],
  ] as const)("fail where it answers %d %j", async (status, body) => {
    const { gateway } = await startPeer(json(status, body));
    const targets = [aTarget()];
    expect(await gateway.post(targets, "hi")).toEqual({ ...NONE, failed: targets });
  });

  it("fail where it breaks off, and the next is tried at once", async () => {
    let isBroken = true;
    const { gateway } = await startPeer((request, response) => {
      if (isBroken) request.socket.destroy();
      else json(200, NONE)(request, response);
    });
    const targets = [aTarget()];
    expect(await gateway.post(targets, "hi")).toEqual({ ...NONE, failed: targets });
    isBroken = false;
    expect(await gateway.post(targets, "hi")).toEqual(NONE);
    expect(lines).toEqual([]);
  });

  it("fail where it hangs; those behind are for later, and one of them asks again after a second", async () => {
    let isHanging = true;
    const asked: string[] = [];
    const { gateway } = await startPeer(async (request, response) => {
      // Only the first may run out of its time on its way.
      const body = await text(request).catch(() => "\nfirst");
      asked.push(body.split("\n")[1] ?? "");
      if (!isHanging) json(200, NONE)(request, response);
    });
    const targets = [aTarget()];
    const post = (frame: string, forMs?: number) => gateway.post(targets, frame, forMs === undefined ? {} : { forMs });
    expect(await post("first", 50)).toEqual({ ...NONE, failed: targets });
    expect(await post("behind it")).toEqual({ ...NONE, throttled: targets });
    isHanging = false;
    await clock.advance(1_000);
    expect(await post("third")).toEqual(NONE);
    expect(await post("fourth")).toEqual(NONE);
    expect(asked.filter((frame) => frame !== "first")).toEqual(["third", "fourth"]);
    expect(lines).toEqual([
      expect.stringMatching(/^The host at http:\/\/127\.0\.0\.1:\d+\/echo doesn't answer: /),
      expect.stringMatching(/^The host at http:\/\/127\.0\.0\.1:\d+\/echo answers again\.$/),
    ]);
  });
});

describe("asking another host about a connection", () => {
  it("finds it gone where nobody listens", async () => {
    const peer = await startPeer(json(200, {}));
    await peer.end();
    expect(await peer.gateway.close(aTarget())).toBe("gone");
    expect(await peer.gateway.look(aTarget())).toBeUndefined();
  });

  it("can't tell where it has a fault", async () => {
    const { gateway } = await startPeer(json(500, {}));
    await expect(gateway.close(aTarget())).rejects.toThrow(UnavailableError);
    await expect(gateway.look(aTarget())).rejects.toThrow(UnavailableError);
  });
});

describe("a connection whose row has an address that is no host's", () => {
  it.each([
    ["", "nothing"],
    ["localhost:4000/echo", "no scheme"],
    ["http://", "no host"],
    ["https://PEER/echo", "another scheme"],
    ["http://PEER/other", "another service"],
    ["http://PEER/echo/@connections/", "more than the service"],
  ])("%j is gone, and the others are posted to", async (text) => {
    const asked: unknown[] = [];
    const { port } = await startPeer((request, response) => {
      asked.push(request.url);
      json(200, NONE)(request, response);
    });
    const local: ConnectionGateway = {
      post: async () => NONE,
      close: async () => "closed",
      look: async () => undefined,
    };
    const own = "http://localhost:4000/echo";
    const gateway = createHostGateway({ address: own, local, sign: undefined, clock, log: (line) => lines.push(line) });
    ends.push(async () => gateway.stop());
    const lost = aTarget({ address: text.replace("PEER", `127.0.0.1:${port}`) });
    const others = [aTarget({ address: own }), aTarget({ address: `http://127.0.0.1:${port}/echo` })];
    expect(await gateway.post([lost, ...others], "hi")).toEqual({ ...NONE, gone: [lost] });
    expect(await gateway.close(lost)).toBe("gone");
    expect(await gateway.look(lost)).toBeUndefined();
    expect(asked).toEqual(["/echo/@connections"]);
    expect(lines).toEqual([]);
  });
});
