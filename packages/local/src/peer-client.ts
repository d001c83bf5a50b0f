import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { RequestSigner } from "./request-signer.ts";

export interface PeerRequest {
  readonly method: "POST" | "GET" | "DELETE";
  /** Behind the peer's address. */
  readonly path: string;
  readonly body?: string;
  readonly timeoutMs: number;
}

export interface PeerAnswer {
  readonly status: number;
  readonly body: string;
}

/** Speaks to the `@connections` of another host. */
export interface PeerClient {
  /** Rejects where there is no whole answer, or none in time; with the code `ECONNREFUSED` where nobody listens. */
  send(request: PeerRequest): Promise<PeerAnswer>;
  close(): void;
}

/** Requests under way at once, each with a page of connections; further ones wait for their turn. */
const MAX_SOCKETS = 16;

/** `address` as connections' rows have it: `http://{host}/{service}`. */
export function createPeerClient(address: URL, sign: RequestSigner | undefined): PeerClient {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const { hostname, port, host } = address;

  async function attempt({ method, path, body = "", timeoutMs }: PeerRequest): Promise<PeerAnswer> {
    const wholePath = `${address.pathname}${path}`;
    const headers = (await sign?.({ method, host, path: wholePath, body })) ?? {};
    return new Promise((resolve, reject) => {
      const target = { agent, hostname: hostname.replace(/^\[|\]$/g, ""), port, method, path: wholePath };
      const sent = request({ ...target, headers, signal: AbortSignal.timeout(timeoutMs) });
      sent.on("response", (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      });
      sent.on("error", (error) => reject(new PeerError(error, sent.reusedSocket)));
      sent.end(body);
    });
  }

  return {
    async send(asked) {
      try {
        return await attempt(asked);
      } catch (error) {
        // The peer closed a connection that was idle, or it is gone altogether: on a fresh one that shows.
        if (error instanceof PeerError && error.code === "ECONNRESET" && error.isReused) return attempt(asked);
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: string | undefined;
  /** Whether it met a connection that had carried requests before. */
  readonly isReused: boolean;

  constructor(cause: NodeJS.ErrnoException, isReused: boolean) {
    super(cause.message, { cause });
    this.code = cause.code;
    this.isReused = isReused;
  }
}
