import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { ConnectionId, Target } from "../../model.ts";
import type { ConnectionGateway, ConnectionInfo, PostFailures } from "../../ports/connection-gateway.ts";

export type PostOutcome = "delivered" | "gone" | "throttled" | "failed";
export type Refusal = Exclude<PostOutcome, "delivered">;

export interface Post {
  readonly id: ConnectionId;
  readonly frame: string;
  readonly outcome: PostOutcome;
}

/** A gateway without sockets, for tests of use cases: its clients are what a test says they are. */
export interface MemoryGateway extends ConnectionGateway {
  /** A client connects. */
  open(target: Target): void;
  /** What a client got, oldest first; also after it left. */
  frames(id: ConnectionId): readonly string[];
  /**
   * How every request about a connection is answered from now on; `undefined`: as usual. `gone` for one that is open is what API
   * Gateway answers while a handshake is still under way.
   */
  refuse(id: ConnectionId, outcome: Refusal | undefined): void;
  /** A client leaves. */
  vanish(id: ConnectionId): void;
  /** Every single post, oldest first. */
  readonly posts: readonly Post[];
}

export function createMemoryGateway({ clock }: { readonly clock: Clock }): MemoryGateway {
  const open = new Map<ConnectionId, ConnectionInfo>();
  const refusals = new Map<ConnectionId, Refusal>();
  const posts: Post[] = [];

  function postOne(id: ConnectionId, frame: string): PostOutcome {
    const info = open.get(id);
    const outcome = refusals.get(id) ?? (info === undefined ? "gone" : "delivered");
    posts.push({ id, frame, outcome });
    if (info !== undefined && outcome === "delivered") open.set(id, { ...info, lastActiveAt: clock.now() });
    return outcome;
  }

  /** The connection, or `undefined` where it is gone. */
  function find(id: ConnectionId): ConnectionInfo | undefined {
    const refusal = refusals.get(id);
    if (refusal === undefined) return open.get(id);
    if (refusal === "gone") return undefined;
    throw new UnavailableError(
      "gateway",
      `The request about a connection ${refusal === "failed" ? "failed" : "was throttled"}.`,
    );
  }

  return {
    posts,
    open({ id, connectedAt }) {
      open.set(id, { connectedAt, lastActiveAt: clock.now(), sourceIp: "127.0.0.1" });
    },
    frames: (id) => posts.filter((post) => post.id === id && post.outcome === "delivered").map(({ frame }) => frame),
    refuse(id, outcome) {
      if (outcome === undefined) refusals.delete(id);
      else refusals.set(id, outcome);
    },
    vanish(id) {
      open.delete(id);
    },

    async post<T extends Target>(targets: readonly T[], frame: string): Promise<PostFailures<T>> {
      const failures = { gone: [] as T[], throttled: [] as T[], failed: [] as T[] };
      for (const target of targets) {
        const outcome = postOne(target.id, frame);
        if (outcome !== "delivered") failures[outcome].push(target);
      }
      return failures;
    },
    async close({ id }) {
      if (find(id) === undefined) return "gone";
      open.delete(id);
      return "closed";
    },
    look: async ({ id }) => find(id),
  };
}
