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

type Outcome = "delivered" | "gone" | "throttled" | "failed";

export function createApiGateway(options: ApiGatewayOptions): ConnectionGateway {
  const { client, logger, clock, concurrency, timeoutMs } = options;
  const send = createSignedPost(client);
  const pace = createPostPace({ clock, maxConcurrency: concurrency });
  // Node takes whole milliseconds only.
  const within = (ms: number) => ({ abortSignal: AbortSignal.timeout(Math.ceil(ms)) });

  async function postOne(id: ConnectionId, body: PostBody, until: number, errors: unknown[]): Promise<Outcome> {
    // Once more where others were throttled meanwhile.
    for (let pauseMs = pace.pauseMs(); pauseMs > 0; pauseMs = pace.pauseMs()) {
      if (clock.now() + pauseMs >= until) return "throttled";
      await clock.sleep(pauseMs);
    }
    const startedAt = clock.now();
    const leftMs = Math.min(timeoutMs, until - startedAt);
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
      const until = clock.now() + forMs;
      const body = postBodyOf(frame);
      const failures = { gone: [] as T[], throttled: [] as T[], failed: [] as T[] };
      const errors: unknown[] = [];
      const outcomes = await pace.map(targets, ({ id }) => postOne(id, body, until, errors));
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
