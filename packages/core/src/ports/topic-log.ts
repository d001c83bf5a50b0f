import type { Json, Place, Topic } from "@topicast/protocol";
import type { AppId, LoggedMessage } from "../model.ts";

/** What one publish brings: all of it gets numbers that follow one another, or none does. */
export interface Batch {
  readonly payloads: readonly Json[];
  readonly from?: string;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
}

export interface Appended {
  readonly epoch: string;
  readonly messages: readonly LoggedMessage[];
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

/**
 * The order of a topic's messages and its newest history, kept apart by application.
 *
 * A number is **taken** by an atomic count and then **written** with its messages. In between it is empty; one that stays empty
 * for {@link VOID_AFTER_MS} is made void by a reader, and the late publisher takes new ones. A place is **settled** where
 * every number up to it is written or void.
 *
 * Every method may throw `UnavailableError`.
 */
export interface TopicLog {
  /**
   * Numbers a batch and writes it. Once this resolves, every later read has it. Numbers are unique within an epoch and never used
   * again, whether or not the append succeeds. Not idempotent: a repeat takes new numbers.
   */
  append(app: AppId, topic: Topic, batch: Batch): Promise<Appended>;

  /** How far the topic is settled; always fresh. Begins the topic (and its epoch) where there is none, with `seq` 0. */
  place(app: AppId, topic: Topic): Promise<Place>;

  /**
   * What is settled after a place, oldest first, at most `limit` messages and always fresh. `recovered: false` comes with none where
   * something after `since` is no longer there, `since` is of another epoch, or it is ahead of the topic.
   */
  readSince(app: AppId, topic: Topic, since: Place, limit: number): Promise<LogPage>;
}

/** How long a taken number may stay empty: the protocol's "Delivery" chapter. */
export const VOID_AFTER_MS = 2_000;
