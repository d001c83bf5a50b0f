import { randomUUID } from "node:crypto";
import { type Cast, connect, type SocketConstructor } from "@topicast/client";
import WebSocket from "ws";
import type { SoakPayload } from "./client.ts";
import type { Ledger } from "./ledger.ts";

export interface Publishers {
  /** Publishes what has become due since the last call. */
  publish(): void;
  /** Publishes that nobody acknowledged yet. */
  readonly pending: number;
  /** Why one was refused for good, if one was. */
  readonly failure: Error | undefined;
  close(): void;
}

/** So that none of them comes near the limit of messages a second for one connection. */
const TOPICS_OF_EACH = 5;
/** A service that can't keep up is not given more than this of one topic. */
const MAX_PENDING_OF_TOPIC = 20;
const TEXT = "x".repeat(100);

/** Each topic has one publisher, and its messages spread over the second. */
export function createPublishers(
  url: string,
  topics: readonly string[],
  perSecond: number,
  ledger: Ledger,
): Publishers {
  const connections: Cast[] = [];
  const intervalMs = 1_000 / perSecond;
  const startedAt = performance.now();
  let pending = 0;
  let failure: Error | undefined;

  const lines = topics.map((name, index) => {
    if (index % TOPICS_OF_EACH === 0) {
      connections.push(connect(url, { client: randomUUID(), WebSocket: WebSocket as unknown as SocketConstructor }));
    }
    const topic = (connections.at(-1) as Cast).topic<SoakPayload>(name);
    return { topic, dueAt: startedAt + (index / topics.length) * intervalMs, pending: 0 };
  });

  async function publish(line: (typeof lines)[number]): Promise<void> {
    line.pending += 1;
    pending += 1;
    try {
      await line.topic.publish({ number: ledger.publish(line.topic.name), text: TEXT });
      line.pending -= 1;
      pending -= 1;
    } catch (error) {
      // It may have been published or not: nobody can say any more what was lost.
      failure ??= error as Error;
    }
  }

  return {
    publish() {
      const now = performance.now();
      for (const line of lines) {
        for (; line.dueAt <= now; line.dueAt += intervalMs) {
          if (line.pending < MAX_PENDING_OF_TOPIC) void publish(line);
        }
      }
    },
    get pending() {
      return pending;
    },
    get failure() {
      return failure;
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
}
