import type { Json, Place, Topic } from "@topicast/protocol";
import type { AppId, ConnectionId, Delivery } from "../model.ts";

/**
 * That a job will look at a topic when its tick is over. A topic has at most one, and only a job of its id may hand a tick out: of two jobs, or
 * one that comes twice, one does, because the wake-up after it has another id.
 */
export interface WakeUp {
  /** The job's, or that of several where the first seemed to be lost. */
  readonly id: string;
  /** Unix ms. */
  readonly dueAt: number;
  /**
   * Whether its job is safely queued, or will be by one that is. Who counts a message in and finds this true needs to do no more: the job runs later,
   * and then finds the message. Where it is false, another publisher claimed the wake-up, and may have died before it sent the job.
   */
  readonly isSent: boolean;
}

/** A topic that has a wake-up. */
export interface Ticking {
  /** Up to there everything that is numbered was handed out in ticks, or was not meant for them. */
  readonly place: Place;
  readonly wakeUp: WakeUp;
}

/** What a publish asks of a topic whose deliveries leave in ticks. */
export interface TickClaim {
  /** The topic's wake-up from now on, unsent, where it has none. */
  readonly wakeUp: Pick<WakeUp, "id" | "dueAt">;
  /** The connection that gets no copy. */
  readonly except?: ConnectionId;
}

/** Ephemeral messages that lie in a topic until its next tick. */
export interface Gathering {
  readonly payloads: readonly Json[];
  readonly from?: string;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
  /** The value of the idempotency key that it was published with. */
  readonly key?: string;
  /** Of these from one sender only the newest is wanted. */
  readonly latest?: string;
  readonly tick: TickClaim;
}

/** A message that is to leave in a tick. */
export interface TickMessage {
  readonly message: Delivery;
  /** The connection that gets no copy. */
  readonly except?: ConnectionId;
  readonly latest?: string;
}

/** What waits in a topic, as one read found it. */
export interface TickPage {
  /** Absent where the topic has no wake-up. */
  readonly ticking?: Ticking;
  /** Numbered, in order and without a gap but for void numbers, as far as the log is settled; at most {@link MAX_PAGE_BYTES} and one batch. */
  readonly numbered: readonly TickMessage[];
  /** The place of the last of these, or of a void number behind it. */
  readonly upTo: Place;
  /** Whether the page was too small for what is settled. */
  readonly isFull: boolean;
  /** Ephemeral, as they were counted in. */
  readonly gathered: readonly TickMessage[];
  readonly gatheredUpTo: number;
  /** Whether nothing but this is counted in. Otherwise there is more, or a number is taken whose message isn't written yet. */
  readonly isAll: boolean;
}

/**
 * How a topic's deliveries leave in ticks. A message is counted in by the same atomic count that gives it a number, and that count says which job
 * will see to it, or claims for its publisher to send one. What is counted in before a page is read is on the page or keeps {@link TickPage.isAll}
 * false; what is counted in after a page was read keeps the topic from coming to its end with it. So as long as each publisher makes sure that a sent
 * wake-up is there when it has counted, and each job is followed by another until all is handed out, nothing that is numbered is forgotten.
 *
 * A new epoch has no wake-up, and forgets what was gathered. Every method may throw `UnavailableError`: then a write may or may not have happened.
 */
export interface Ticks {
  /** Counts in what has no number and no history, and keeps it until a tick takes it. */
  gather(app: AppId, topic: Topic, gathering: Gathering): Promise<Ticking>;

  /** Undefined where there is no wake-up: everything that was counted in is handed out. Always fresh. */
  ticking(app: AppId, topic: Topic): Promise<Ticking | undefined>;

  /** Where the topic has the wake-up `from`, it has `to` after; whether it had. */
  replaceWakeUp(app: AppId, topic: Topic, from: WakeUp, to: WakeUp): Promise<boolean>;

  /**
   * What is settled after a place from which on numbers are ticked, and what is gathered; always fresh. Makes void what is overdue. Undefined where the
   * topic has another epoch. From the same place it finds the same numbered messages again, and maybe more.
   */
  readTick(app: AppId, topic: Topic, after: Place): Promise<TickPage | undefined>;

  /**
   * Takes what a page holds, where the topic still has the page's wake-up, and gives it the next one; false where it hasn't: then somebody else has it all.
   * Where it throws, the page may be taken: what is gathered is lost then, what is numbered can be read again.
   */
  claimTick(app: AppId, topic: Topic, page: TickPage, next: WakeUp): Promise<boolean>;

  /** Takes the topic's wake-up away, where it has still the page's and nothing was counted in since the page was read; whether it is done. */
  endTicks(app: AppId, topic: Topic, page: TickPage): Promise<boolean>;
}

/** What is gathered and not written for so long is given up: its publisher is dead, and others wait behind it. */
export const GATHERED_AFTER_MS = 500;
