import { type Json, MAX_SERVER_FRAME_BYTES, type Place, type Topic } from "@topicast/protocol";
import type { AppId, LoggedMessage } from "../model.ts";
import type { TickClaim, Ticking, Ticks } from "./ticks.ts";

/** What a publisher names a batch by, so that it can send it again. Unique within application, topic and sender for {@link KEY_LIFE_MS}. */
export interface IdempotencyKey {
  /** Whose key it is: nobody meets another's. */
  readonly sender: string;
  /** 1 to 64 characters. */
  readonly value: string;
}

/** What one publish brings: all of it gets numbers that follow one another, or none does. */
export interface Batch {
  readonly payloads: readonly Json[];
  readonly from?: string;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
  readonly key?: IdempotencyKey;
  /** Where it is to leave in a tick. */
  readonly tick?: TickClaim;
}

export interface Appended {
  /** Of its last message. */
  readonly place: Place;
  /**
   * What is to be delivered. Of a repeated key the messages of the first append: its publisher may have died before they were delivered.
   * None where the topic began a new epoch since: they are no longer its history.
   */
  readonly messages: readonly LoggedMessage[];
  /** Of a batch that is to leave in a tick, as its count found it. Absent for a repeat, which counted nothing. */
  readonly ticking?: Ticking;
}

/** The history that a topic keeps: its newest messages by number and age. */
export interface Retention {
  readonly maxMessages: number;
  readonly maxAgeMs: number;
}

export interface PageOptions {
  /** The most messages. A page may hold fewer and still have more behind it. */
  readonly limit: number;
  readonly retention: Retention;
}

export type LogPage =
  | {
      readonly recovered: true;
      /** How far the log is settled. */
      readonly place: Place;
      /** Ascending; numbers that are absent are void. */
      readonly messages: readonly LoggedMessage[];
      /** Whether settled messages follow the last of these. */
      readonly more: boolean;
    }
  | { readonly recovered: false; readonly place: Place };

export interface LatestPage {
  /** How far the log is settled. */
  readonly place: Place;
  /** Ascending, up to the place. */
  readonly messages: readonly LoggedMessage[];
  /** Whether some of the newest that were asked for are kept and left out, because the page is full. */
  readonly more: boolean;
}

/**
 * The order of a topic's messages and its newest history, kept apart by application.
 *
 * A number is **taken** by an atomic count and then **written** with its messages. In between it is empty; one that stays empty
 * for {@link VOID_AFTER_MS} is made void by a reader, and the late publisher takes new ones. A place is **settled** where
 * every number up to it is written or void.
 *
 * Every method may throw `UnavailableError`.
 */
export interface TopicLog extends Ticks {
  /**
   * Numbers a batch and writes it. Once this resolves, every later read has it. Numbers are unique within an epoch and never used
   * again, whether or not the append succeeds.
   *
   * With a key it is idempotent: whoever repeats it, also beside the first and after the first failed at any step, gets one and the same
   * answer, whatever the payloads of the repeat. Without one a repeat takes new numbers. `retention` bounds what is kept.
   */
  append(app: AppId, topic: Topic, batch: Batch, retention: Retention): Promise<Appended>;

  /** Remembers a key of something that gets no number; false where it was known. These keys are apart from those of `append`. */
  claim(app: AppId, topic: Topic, key: IdempotencyKey): Promise<boolean>;

  /** How far the topic is settled; always fresh. Begins the topic (and its epoch) where there is none, with `seq` 0. */
  place(app: AppId, topic: Topic): Promise<Place>;

  /** The last number taken of each topic, settled or not; always fresh. Undefined for a topic that there isn't; begins none. */
  newest(app: AppId, topics: readonly Topic[]): Promise<readonly (Place | undefined)[]>;

  /**
   * What is settled after a place, oldest first, and always fresh; at most {@link MAX_PAGE_BYTES} or one message. `recovered: false` comes
   * with none where something after `since` is no longer kept, `since` is of another epoch, or it is ahead of the topic.
   */
  readSince(app: AppId, topic: Topic, since: Place, options: PageOptions): Promise<LogPage>;

  /** The newest settled messages that are kept, oldest first, and always fresh; at most {@link MAX_PAGE_BYTES} or one message. */
  readLatest(app: AppId, topic: Topic, options: PageOptions): Promise<LatestPage>;

  /** Drops the history and begins a new epoch. A topic that there isn't stays so. Repeating it begins another epoch. */
  restart(app: AppId, topic: Topic): Promise<void>;
}

/** JSON of payloads that a page holds, unless one message alone is more: a frame to a client holds no more. */
export const MAX_PAGE_BYTES = MAX_SERVER_FRAME_BYTES;

/** Times that one append takes numbers, because it was late with those before or another one was quicker with its key. */
export const MAX_TAKES = 5;

/** How long a taken number may stay empty: the protocol's "Delivery" chapter. */
export const VOID_AFTER_MS = 2_000;

/** For how long a key is remembered, counted from its first append: the protocol's "Delivery" chapter. */
export const KEY_LIFE_MS = 5 * 60_000;
