import type { Place, Topic } from "@topicast/protocol";
import type { AppId, ConnectionId, DirectMessage, Outgoing, Shard, Subscriber, Target } from "../model.ts";

/** Messages that are to reach a topic's subscribers. */
export interface MessagesFanout {
  readonly kind: "messages";
  readonly app: AppId;
  readonly topic: Topic;
  /** Absent where the messages have no place (ephemeral). */
  readonly epoch?: string;
  readonly messages: readonly Outgoing[];
  /** Unix ms at which a tick took them. Who subscribed later gets only what is numbered of it. */
  readonly takenAt?: number;
  /** The connection that published, where it was one. */
  readonly sender?: ConnectionId;
  /** Whether the sender gets it too. */
  readonly echo: boolean;
}

/** A topic's subscribers are told that their subscriptions end, which then do. */
export interface ClosingFanout {
  readonly kind: "closing";
  readonly app: AppId;
  readonly topic: Topic;
  readonly reason: "deleted";
  /** Unix ms. Who subscribed later is not meant. */
  readonly time: number;
}

export type Fanout = MessagesFanout | ClosingFanout;

/** A part of a fan-out that one worker takes on: a shard from a cursor on, or just the connections in `only`. */
export type FanoutJob = Fanout & {
  readonly shard: Shard;
  /** A power of two: so many parts of the shard are to get a job each, in place of this one. */
  readonly split?: number;
  readonly cursor?: string;
  /** Subscribers of the shard before the cursor. */
  readonly walked?: number;
  readonly only?: readonly Subscriber[];
  /** 1 for the first try of these connections. */
  readonly attempt: number;
};

/** What one connection missed of a topic is posted to it. */
export interface ReplayJob {
  readonly kind: "replay";
  readonly app: AppId;
  readonly topic: Topic;
  readonly target: Target;
  /** Unix ms after which it gets nothing any more; absent where only the connection's own end sets one. */
  readonly validUntil?: number;
  readonly since: Place;
  /** The topic's last number after it joined: everything behind it comes live. */
  readonly until: Place;
  /** 1 for the first try from this place. */
  readonly attempt: number;
}

/** Whom something is for: these connections, or those of a user from a cursor on. */
export type Recipients =
  | { readonly only: readonly ConnectionId[] }
  | { readonly user: string; readonly cursor?: string };

/** From a backend to some connections, and to no topic: it has no place, and no history keeps it. */
export type DirectJob = Recipients & {
  readonly kind: "direct";
  readonly app: AppId;
  readonly message: DirectMessage;
  /** 1 for the first try of these connections. */
  readonly attempt: number;
};

/** Connections are told that they end, and then closed. */
export type KickJob = Recipients & {
  readonly kind: "kick";
  readonly app: AppId;
  /** Unix ms. Who connected later is not meant. */
  readonly time: number;
  /** 1 for the first try of these connections. */
  readonly attempt: number;
};

/** Looks at a topic when its tick is over, and delivers what it finds: see `Ticks`. */
export interface TickJob {
  readonly kind: "tick";
  readonly app: AppId;
  readonly topic: Topic;
  /** Of the wake-up that it is. */
  readonly id: string;
  /** Unix ms. */
  readonly dueAt: number;
  readonly tickMs: number;
  /** Everything that is numbered up to there is not its business. */
  readonly from: Place;
  /** 1 for the first try from this place. */
  readonly attempt: number;
  /** Whether an earlier try may have taken the tick, and not delivered it. */
  readonly mayHaveTaken?: boolean;
}

export type Job = TickJob | FanoutJob | ReplayJob | DirectJob | KickJob;

export interface SendOptions {
  /** Whole seconds, 0 to 900, before a worker may see the jobs. */
  readonly delaySeconds?: number;
}

/**
 * Carries jobs to the workers: at least once, in no promised order.
 *
 * Every method may throw `UnavailableError`: then some of the jobs may have been taken, and sending all again is safe,
 * because clients drop what they have seen. Nobody sends what is ephemeral again; a driver whose request went unanswered may, within seconds.
 */
export interface FanoutQueue {
  /** Resolves when every job is kept safely. */
  send(jobs: readonly Job[], options?: SendOptions): Promise<void>;
  /** Puts aside a job that ran out of attempts, whole, so that an operator can send it again. */
  deadLetter(job: Job, reason: string): Promise<void>;
  /** Resolves where the queue answers; for health checks. */
  check(): Promise<void>;
}
