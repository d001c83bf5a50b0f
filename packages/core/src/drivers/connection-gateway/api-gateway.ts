import {
  type ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  type GetConnectionCommandOutput,
} from "@aws-sdk/client-apigatewaymanagementapi";
import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { ConnectionId, Target } from "../../model.ts";
import type { ConnectionGateway, ConnectionInfo } from "../../ports/connection-gateway.ts";
import type { Logger } from "../../service.ts";
import { createPostPace } from "./post-pace.ts";
import { createSignedPost, type PostBody, postBodyOf } from "./signed-posts.ts";

export interface ApiGatewayOptions {
  /** With its own retries off: they would post to a throttled connection three times before anyone slows down. */
  readonly client: ApiGatewayManagementApiClient;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Posts under way at once where nothing is throttled. */
  readonly concurrency: number;
  /** A post that takes longer failed: without a bound it may hang for good. */
  readonly timeoutMs: number;
}

/**
 * Where nothing came through for so long, what is left isn't waited for but becomes a job: so a publisher has its answer in time, and a worker isn't paid for
 * waiting.
 */
const MAX_WAIT_MS = 3_000;

type Outcome = "delivered" | "gone" | "throttled" | "failed";

/** Of a page of posts, in Unix ms. */
interface Span {
  readonly from: number;
  readonly until: number;
}

export function createApiGateway(options: ApiGatewayOptions): ConnectionGateway {
  const { client, logger, clock, concurrency, timeoutMs } = options;
  const send = createSignedPost(client);
  const pace = createPostPace({ clock, maxConcurrency: concurrency });
  // Node takes whole milliseconds only.
  const within = (ms: number) => ({ abortSignal: AbortSignal.timeout(Math.ceil(ms)) });

  /** Waits where others are throttled. False where what is left is for later. */
  async function takeTurn({ from, until }: Span): Promise<boolean> {
    // Once more where others were throttled meanwhile.
    for (let pauseMs = pace.pauseMs(); pauseMs > 0; pauseMs = pace.pauseMs()) {
      const end = Math.min(until, Math.max(from, pace.deliveredAt) + MAX_WAIT_MS);
      if (clock.now() + pauseMs > end) return false;
      await clock.sleep(pauseMs);
    }
    return true;
  }

  async function postOne(id: ConnectionId, body: PostBody, span: Span, errors: unknown[]): Promise<Outcome> {
    if (!(await takeTurn(span))) return "throttled";
    const startedAt = clock.now();
    const leftMs = Math.min(timeoutMs, span.until - startedAt);
    if (leftMs <= 0) return "failed";
    try {
      const status = await send(id, body, within(leftMs).abortSignal);
      const outcome = outcomeOf(status);
      if (outcome === "delivered") pace.onDelivered(startedAt);
      if (outcome === "throttled") pace.onThrottled(id, startedAt);
      if (outcome === "failed") errors.push(new Error(`API Gateway answered a post with ${status}.`));
      return outcome;
    } catch (error) {
      // No answer, or none in time: it may have arrived.
      errors.push(error);
      return "failed";
    }
  }

  /** Undefined where the connection is gone. */
  async function ask<T>(request: () => Promise<T>): Promise<T | undefined> {
    try {
      return await request();
    } catch (cause) {
      const { $metadata } = cause as { $metadata?: { httpStatusCode?: number } };
      if (outcomeOf($metadata?.httpStatusCode) === "gone") return undefined;
      throw new UnavailableError("gateway", "API Gateway did not answer about a connection.", { cause });
    }
  }

  return {
    async post<T extends Target>(targets: readonly T[], frame: string, { forMs = Number.POSITIVE_INFINITY } = {}) {
      const from = clock.now();
      const span = { from, until: from + forMs };
      const body = postBodyOf(frame);
      const failures = { gone: [] as T[], throttled: [] as T[], failed: [] as T[] };
      const errors: unknown[] = [];
      const outcomes = await pace.map(targets, ({ id }) => postOne(id, body, span, errors));
      // One line, however many: where all posts fail, a line each would cost more than the posts.
      if (errors.length > 0) logger.warn("Posts failed.", { count: errors.length, first: errors[0] });
      targets.forEach((target, index) => {
        const outcome = outcomes[index] ?? "failed";
        if (outcome !== "delivered") failures[outcome].push(target);
      });
      return failures;
    },

    async close({ id }) {
      const closed = await ask(() => client.send(new DeleteConnectionCommand({ ConnectionId: id }), within(timeoutMs)));
      return closed === undefined ? "gone" : "closed";
    },

    async look({ id }) {
      const info = await ask(() => client.send(new GetConnectionCommand({ ConnectionId: id }), within(timeoutMs)));
      return info === undefined ? undefined : infoOf(info);
    },
  };
}

/** API Gateway answers 410 for a connection that is gone, 429 where there are too many requests or the client's buffer is full. */
function outcomeOf(status = 0): Outcome {
  // Emulators answer 204.
  if (status >= 200 && status < 300) return "delivered";
  if (status === 410) return "gone";
  return status === 429 ? "throttled" : "failed";
}

function infoOf({ ConnectedAt, LastActiveAt, Identity }: GetConnectionCommandOutput): ConnectionInfo {
  const userAgent = Identity?.UserAgent;
  return {
    connectedAt: ConnectedAt?.getTime() ?? 0,
    lastActiveAt: LastActiveAt?.getTime() ?? 0,
    sourceIp: Identity?.SourceIp ?? "",
    ...(userAgent !== undefined && { userAgent }),
  };
}
