import { type Clock, type ConnectionGateway, type ConnectionInfo, type Target, UnavailableError } from "@topicast/core";
import * as v from "valibot";
import { createPeerClient, type PeerAnswer, type PeerRequest } from "./peer-client.ts";
import { MAX_IDS, type PostRefusals, postBody, postRefusals } from "./peer-posts.ts";
import type { RequestSigner } from "./request-signer.ts";

/** The connections that another host on this Redis holds, through its `@connections`. */
export interface PeerGateway extends ConnectionGateway {
  /** Ends its sockets. */
  stop(): void;
}

export interface PeerGatewayOptions {
  /** `http://{host}/{service}` */
  readonly address: URL;
  /** Absent where nobody checks signatures. */
  readonly sign: RequestSigner | undefined;
  readonly clock: Pick<Clock, "now">;
  readonly log: (line: string) => void;
}

/** As long as a post takes at most, by default, on AWS. */
const TIMEOUT_MS = 3_000;
/** A host that gave no answer is asked again once in so long; posts in between are for later, so that nobody's publish waits for it. */
const SILENCE_MS = 1_000;

const ALL_GONE = Symbol("all gone");

const infoSchema = v.object({
  identity: v.object({ sourceIp: v.string(), userAgent: v.optional(v.string()) }),
  connectedAt: v.string(),
  lastActiveAt: v.string(),
});

/**
 * Where nobody listens at the address, the host is gone and its connections with it; so it is where another program listens there, or another host, which doesn't
 * know the connection. A host that gives no answer may be there all the same.
 */
export function createPeerGateway({ address, sign, clock, log }: PeerGatewayOptions): PeerGateway {
  const client = createPeerClient(address, sign);
  let askAgainAt: number | undefined;

  function noteEnd(of: string): void {
    if (askAgainAt !== undefined) log(`The host at ${address.href} ${of}.`);
    askAgainAt = undefined;
  }

  function noteSilence(error: unknown): void {
    if (askAgainAt === undefined) log(`The host at ${address.href} doesn't answer: ${(error as Error).message}`);
    askAgainAt = clock.now() + SILENCE_MS;
  }

  /** One of those who ask finds out for all. */
  function isSilent(): boolean {
    if (askAgainAt === undefined) return false;
    if (clock.now() < askAgainAt) return true;
    askAgainAt = clock.now() + SILENCE_MS;
    return false;
  }

  async function ask(request: PeerRequest): Promise<PeerAnswer | typeof ALL_GONE> {
    try {
      const answer = await client.send(request);
      noteEnd("answers again");
      // No such service there.
      return answer.status === 404 ? ALL_GONE : answer;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ECONNREFUSED") {
        noteEnd("is gone");
        return ALL_GONE;
      }
      // It broke off, as one does that dies: the next attempt tells.
      if (code !== "ECONNRESET") noteSilence(error);
      throw error;
    }
  }

  async function postSome(targets: readonly Target[], frame: string, timeoutMs: number): Promise<PostRefusals> {
    const all = targets.map((_, at) => at);
    if (isSilent()) return { gone: [], throttled: all, failed: [] };
    try {
      const body = postBody(
        targets.map(({ id }) => id),
        frame,
      );
      const answer = await ask({ method: "POST", path: "/@connections", body, timeoutMs });
      if (answer === ALL_GONE) return { gone: all, throttled: [], failed: [] };
      if (answer.status === 200) return postRefusals(answer.body);
      log(`The host at ${address.href} answered posts with ${answer.status}.`);
    } catch {
      // Noted: what was posted may have arrived.
    }
    return { gone: [], throttled: [], failed: all };
  }

  /** Of one connection; undefined where it is gone. */
  async function askAbout({ id }: Target, method: "GET" | "DELETE"): Promise<PeerAnswer | undefined> {
    const path = `/@connections/${encodeURIComponent(id)}`;
    const answer = await ask({ method, path, timeoutMs: TIMEOUT_MS }).catch((cause: unknown) => {
      throw unavailable("did not answer about a connection", cause);
    });
    if (answer === ALL_GONE || answer.status === 410) return undefined;
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw unavailable(`answered with ${answer.status} about a connection`);
  }

  function unavailable(what: string, cause?: unknown): UnavailableError {
    return new UnavailableError("gateway", `The host at ${address.host} ${what}.`, { cause });
  }

  return {
    async post<T extends Target>(targets: readonly T[], frame: string, { forMs = TIMEOUT_MS } = {}) {
      const failures = { gone: [] as T[], throttled: [] as T[], failed: [] as T[] };
      // Node takes whole milliseconds only.
      const timeoutMs = Math.ceil(Math.min(TIMEOUT_MS, forMs));
      const pages = pagesOf(targets);
      const refused = await Promise.all(pages.map((page) => postSome(page, frame, timeoutMs)));
      refused.forEach((refusals, at) => {
        for (const outcome of ["gone", "throttled", "failed"] as const) {
          for (const index of refusals[outcome]) failures[outcome].push(pages[at]?.[index] as T);
        }
      });
      return failures;
    },
    async close(target) {
      return (await askAbout(target, "DELETE")) === undefined ? "gone" : "closed";
    },
    async look(target) {
      const answer = await askAbout(target, "GET");
      return answer && infoOf(answer);
    },
    stop: () => client.close(),
  };
}

function pagesOf<T>(targets: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(targets.length / MAX_IDS) }, (_, page) =>
    targets.slice(page * MAX_IDS, (page + 1) * MAX_IDS),
  );
}

function infoOf({ body }: PeerAnswer): ConnectionInfo {
  const { identity, connectedAt, lastActiveAt } = v.parse(infoSchema, JSON.parse(body));
  const { sourceIp, userAgent } = identity;
  return {
    connectedAt: Date.parse(connectedAt),
    lastActiveAt: Date.parse(lastActiveAt),
    sourceIp,
    ...(userAgent !== undefined && { userAgent }),
  };
}
