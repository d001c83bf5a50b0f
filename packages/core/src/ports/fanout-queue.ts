import type { Topic } from "@topicast/protocol";
import type { AppId, ConnectionId, Delivery, Target } from "../model.ts";

/** What is to reach a topic's subscribers. */
export interface Fanout {
  readonly app: AppId;
  readonly topic: Topic;
  /** Absent where the messages have no place (ephemeral). */
  readonly epoch?: string;
  readonly messages: readonly Delivery[];
  /** The connection that published, where it was one. */
  readonly sender?: ConnectionId;
  /** Whether the sender gets it too. */
  readonly echo: boolean;
}

/** A part of a fan-out that one worker takes on: a shard from a cursor on, or just the connections in `only`. */
export interface FanoutJob extends Fanout {
  readonly shard: number;
  readonly cursor?: string;
  readonly only?: readonly Target[];
  /** 1 for the first try of these connections. */
  readonly attempt: number;
}

export interface SendOptions {
  /** Whole seconds, 0 to 900, before a worker may see the jobs. */
  readonly delaySeconds?: number;
}

/**
 * Carries jobs to the workers: at least once, in no promised order.
 *
 * Every method may throw `UnavailableError`: then some of the jobs may have been taken, and sending all again is safe,
 * because clients drop what they have seen.
 */
export interface FanoutQueue {
  /** Resolves when every job is kept safely. */
  send(jobs: readonly FanoutJob[], options?: SendOptions): Promise<void>;
  /** Puts aside a job that ran out of attempts, whole, so that an operator can send it again. */
  deadLetter(job: FanoutJob, reason: string): Promise<void>;
  /** Resolves where the queue answers; for health checks. */
  check(): Promise<void>;
}
