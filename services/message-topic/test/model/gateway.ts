import type { ConnectionId, PostFailures, Target } from "@topicast/core";
import type { Faults } from "./faults.ts";
import type { Invocation } from "./lambda.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Watch } from "./watch.ts";

/** One WebSocket connection, as the gateway has it. */
export interface Socket {
  readonly id: ConnectionId;
  /** Unix ms. */
  readonly connectedAt: number;
  /** Whether frames still come through to the client, and from it. */
  isLinked: boolean;
  /** Whether the gateway knows of it. */
  isOpen: boolean;
  /** Unix ms until which it refuses posts although it is open: its handshake isn't through everywhere. */
  refusesUntil: number;
  /** The client's end; the network lies between. */
  receive(frame: string): void;
}

export interface Gateway {
  open(receive: (frame: string) => void): Socket;
  /** Sends a frame to the client, with the network's delay. */
  send(socket: Socket, frame: string): void;
  call(invocation: Invocation, method: string, args: readonly unknown[]): Promise<unknown>;
}

export interface GatewayOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly watch: Watch;
}

type Outcome = "delivered" | "gone" | "throttled" | "failed";

const POST_TIMEOUT_MS = 3_000;

/** API Gateway's side of connections, with everything that its posts may answer. */
export function createGateway({ time, random, faults, watch }: GatewayOptions): Gateway {
  const sockets = new Map<ConnectionId, Socket>();

  function send(socket: Socket, frame: string): void {
    const delayMs = faults.hits("frames late") ? random.between(200, 4_000) : random.between(1, 40);
    time.after(delayMs, () => {
      if (socket.isLinked) socket.receive(frame);
    });
  }

  function postOne(id: ConnectionId, frame: string): { outcome: Outcome; hangs?: boolean } {
    const socket = sockets.get(id);
    if (socket === undefined || !socket.isOpen) return { outcome: "gone" };
    // The client's link is dead and the gateway doesn't know.
    if (!socket.isLinked) return { outcome: "delivered" };
    if (time.now() < socket.refusesUntil) return { outcome: "gone" };
    if (faults.hits("post throttled")) return { outcome: "throttled" };
    // It answers 200, and the frame never comes, though the client lives: only the client can find out.
    if (faults.hits("post lost")) return { outcome: "delivered" };
    const hangs = faults.hits("post hangs");
    const fails = hangs || faults.hits("post failed");
    if (!fails || random.chance(30)) send(socket, frame);
    return { outcome: fails ? "failed" : "delivered", hangs };
  }

  async function post(invocation: Invocation, targets: readonly Target[], frame: string, forMs = POST_TIMEOUT_MS) {
    const failures = { gone: [] as Target[], throttled: [] as Target[], failed: [] as Target[] };
    let waitMs = random.between(1, 12);
    for (const target of targets) {
      const { outcome, hangs } = postOne(target.id, frame);
      watch.posted(invocation, target.id, frame, outcome === "delivered");
      if (outcome !== "delivered") failures[outcome].push(target);
      if (hangs) waitMs = Math.min(POST_TIMEOUT_MS, forMs);
      await time.sleep(random.between(1, 4));
      if (invocation.isDead) break;
    }
    await time.sleep(waitMs);
    return failures satisfies PostFailures;
  }

  return {
    open(receive) {
      const id = `connection-${String(sockets.size + 1).padStart(3, "0")}=` as ConnectionId;
      const connectedAt = time.now();
      const socket: Socket = { id, connectedAt, isLinked: true, isOpen: true, refusesUntil: Infinity, receive };
      sockets.set(id, socket);
      return socket;
    },
    send,
    call(invocation, method, args) {
      if (method !== "post") throw new Error(`The simulation's gateway has no ${method}.`);
      const [targets, frame, options] = args as [readonly Target[], string, { forMs?: number }?];
      return post(invocation, targets, frame, options?.forMs);
    },
  };
}
