import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import {
  type Broadcast,
  type BroadcastMessage,
  connectBroadcast,
  type SocketConstructor,
  type State,
} from "@topicast/client";
import { type Arrivals, type Host, type HostFaults, startHost } from "@topicast/local";
import WebSocket from "ws";
import { fastClock } from "./fast-clock.ts";

/* Against the real host, on a clock that both have, and that runs ten times as fast. */

interface Shout {
  readonly n: number;
}

const SERVICE = fileURLToPath(new URL("../../../services/message-broadcast", import.meta.url));
const clock = fastClock(10);
const open: Broadcast<Shout>[] = [];
const sockets: WebSocket[] = [];
let host: Host;
let faults: HostFaults;

beforeEach(async () => {
  faults = { frame: () => [0] };
  const environment = { POWERTOOLS_LOG_LEVEL: "SILENT" };
  host = await startHost({ services: [SERVICE], port: 0, clock, environment, faults, log: () => {} });
});
afterEach(async () => {
  for (const broadcast of open.splice(0)) broadcast.close();
  sockets.length = 0;
  await host.close();
});

class Watched extends WebSocket {
  constructor(...parameters: ConstructorParameters<typeof WebSocket>) {
    super(...parameters);
    sockets.push(this);
  }
}

interface Player {
  readonly broadcast: Broadcast<Shout>;
  readonly got: BroadcastMessage<Shout>[];
  readonly states: State[];
  /** Resolves when it got message `n`. */
  reached(n: number): Promise<void>;
}

async function join(
  room: string,
  options: { readonly maxAgeMs?: number; readonly WebSocket?: unknown } = {},
): Promise<Player> {
  const broadcast = connectBroadcast<Shout>(`ws://127.0.0.1:${host.port}/message-broadcast`, {
    room,
    client: `player-${open.length}-of-this-test`,
    now: clock.now,
    after: clock.after,
    ...options,
    WebSocket: (options.WebSocket ?? WebSocket) as SocketConstructor,
  });
  open.push(broadcast);
  const got: BroadcastMessage<Shout>[] = [];
  const states: State[] = [];
  broadcast.on("message", (message) => got.push(message));
  broadcast.on("state", (state) => states.push(state));
  await new Promise<void>((resolve) => void broadcast.on("state", (state) => state === "connected" && resolve()));
  return {
    broadcast,
    got,
    states,
    reached: (n) =>
      new Promise((resolve) => {
        const look = () => got.some((message) => message.n === n) && resolve();
        broadcast.on("message", look);
        look();
      }),
  };
}

const numbersOf = ({ got }: Player) => got.map(({ n }) => n);

it("sends to everyone in the room, the sender too, and to no other room", async () => {
  const [alice, bob, carol] = [await join("jam/1"), await join("jam/1"), await join("jam/2")];
  alice.broadcast.send({ n: 1 });
  await Promise.all([alice.reached(1), bob.reached(1)]);
  expect(alice.got).toEqual([
    { n: 1, _me: true, _now: expect.any(Number), _from: expect.any(String), _seq: 1, _epoch: expect.any(String) },
  ]);
  expect(bob.got).toMatchObject([{ n: 1, _me: false }]);
  expect(carol.got).toEqual([]);
});

it("gives anything that is no object under data, also what looks like a frame of the service", async () => {
  const alice = await join("jam/1");
  const { broadcast } = alice;
  for (const message of ["hi there", [1], { type: "closing", reconnect: false }, { n: 1 }]) broadcast.send(message);
  await alice.reached(1);
  expect(alice.got).toMatchObject([{ data: "hi there" }, { data: [1] }, { type: "closing" }, { n: 1 }]);
  expect(broadcast.state).toBe("connected");
});

it("keeps what is sent without a connection, and brings what was missed meanwhile", async () => {
  const alice = await join("jam/1");
  const bob = await join("jam/1", { WebSocket: Watched });
  alice.broadcast.send({ n: 1 });
  await bob.reached(1);
  const lost = new Promise<void>((resolve) => void bob.broadcast.on("state", () => resolve()));
  sockets[0]!.terminate();
  await lost;
  bob.broadcast.send({ n: 4 });
  alice.broadcast.send({ n: 2 });
  alice.broadcast.send({ n: 3 });
  await Promise.all([bob.reached(2), bob.reached(3), bob.reached(4)]);
  expect(bob.states).toEqual(["connected", "disconnected", "connected"]);
  expect(bob.got.map(({ _seq }) => _seq)).toEqual([1, 2, 3, 4]);
});

it("brings what was lost on the way by another connection, and the application notices nothing", async () => {
  const alice = await join("jam/1");
  const bob = await join("jam/1", { WebSocket: Watched });
  alice.broadcast.send({ n: 1 });
  await bob.reached(1);
  faults.frame = (_service, _connection, kind): Arrivals => (kind === "post" ? [] : [0]);
  alice.broadcast.send({ n: 2 });
  await clock.sleep(2_000);
  faults.frame = () => [0];
  alice.broadcast.send({ n: 3 });
  await bob.reached(3);
  expect(numbersOf(bob)).toEqual([1, 2, 3]);
  expect(bob.states).toEqual(["connected"]);
  expect(sockets.length).toBeGreaterThan(1);
});

it("changes its connection under load, and the application notices nothing", async () => {
  const alice = await join("jam/1");
  const bob = await join("jam/1", { WebSocket: Watched, maxAgeMs: 8_000 });
  const last = 400;
  for (let n = 1; n <= last; n++) {
    alice.broadcast.send({ n });
    await clock.sleep(100);
  }
  await bob.reached(last);
  expect(numbersOf(bob)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
  expect(bob.states).toEqual(["connected"]);
  expect(sockets.length).toBeGreaterThan(3);
});

it("refuses what doesn't fit, and everything when it is closed", async () => {
  const { broadcast } = await join("jam/1");
  expect(() => broadcast.send("x".repeat(32_768))).toThrow(expect.objectContaining({ code: "payload_too_large" }));
  const next = broadcast[Symbol.asyncIterator]().next();
  broadcast.close();
  expect(() => broadcast.send(1)).toThrow(expect.objectContaining({ code: "closed", retryable: false }));
  await expect(next).resolves.toEqual({ done: true, value: undefined });
});
