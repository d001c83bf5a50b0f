import type { Place, Topic } from "@topicast/protocol";
import type { AppId, LoggedMessage } from "../model.ts";
import type { Ticking, TickMessage } from "./ticks.ts";
import type { Appended, IdempotencyKey, PageOptions, TopicLog } from "./topic-log.ts";

/** What a store says of a topic that it numbers, or did. */
export interface TopicState {
  /** Of its last number, settled or not. */
  readonly last: Place;
  /** How often the topic went from one store to another, up to this one. */
  readonly generation: number;
  /** Its numbers up to this one were given in the store that had it before, and their messages are there; 0 where there was none. */
  readonly floor: number;
  /** Unix ms at which the store took it over; absent where the topic began here. */
  readonly movedAt?: number;
  /** Unix ms of its last number, or whatever came last and says about when that was. */
  readonly activeAt: number;
  /** Whether it left: this store gives it no numbers any more, nor answers for it. */
  readonly isSealed: boolean;
  /** Whether the other store is known to have had it. Where it hasn't, it lost it, and with it numbers that were given there. */
  readonly isGone: boolean;
}

/** What a topic takes along. Its history stays, and so do its keys: who has them looks there for as long as either is of use. */
export interface Luggage {
  /** Of its last number; every number up to there is written or void. */
  readonly place: Place;
  readonly generation: number;
  /** Its wake-up, where it has one. What was gathered for that tick is ephemeral, and is not carried over. */
  readonly ticking?: Ticking;
  /** The last number of what was gathered. Counted on from there, so that a worker who read in the one store takes no more in the other than it read. */
  readonly gathered: number;
}

/** Numbers that a sealed topic gave: from the one behind `after` up to `upTo`. */
export interface MovedRange {
  readonly epoch: string;
  readonly after: number;
  readonly upTo: number;
}

export interface MovedPage {
  /** Ascending. */
  readonly messages: readonly LoggedMessage[];
  /** Whether messages of the range are left out because the page is full. */
  readonly more: boolean;
}

/**
 * How a topic goes from one store to another. In each of the two its row says whether that store numbers it, and every count is conditional on that: `seal` ends
 * it in the one, `takeOver` begins it in the other, and between the two neither counts. Whoever dies in between leaves a sealed topic, which anyone may
 * carry on: both are idempotent, and however many do them at once, one `takeOver` happens. Nobody counts in the new store before `letGo` says in the old one
 * that it has the topic.
 *
 * All reads are fresh. Every method may throw `UnavailableError`: then a write may or may not have happened.
 */
export interface TopicMover {
  /** Undefined where there is no such topic. */
  look(app: AppId, topic: Topic): Promise<TopicState | undefined>;

  /**
   * Ends a topic of that generation here. From then on whatever counts in it, or reads how far it is, throws `MovedError`, and a restart changes nothing; numbers that are taken and not
   * written are void, so that their publishers find that out and take others where the topic goes. Undefined where it is of another generation.
   */
  seal(app: AppId, topic: Topic, generation: number): Promise<Luggage | undefined>;

  /** Goes on with a topic in the next generation. Nothing happens where this store has that topic and numbers it, or did so later. */
  takeOver(app: AppId, topic: Topic, luggage: Luggage): Promise<void>;

  /** Remembers of a sealed topic that the other store has it. */
  letGo(app: AppId, topic: Topic, generation: number): Promise<void>;

  /** Forgets a topic, where it isn't sealed and that is its last number: nobody will ask for it. */
  discard(app: AppId, topic: Topic, last: Place): Promise<void>;

  /** What was written for a key before the topic was sealed; undefined where nothing was, and then nothing will be. */
  findKeyed(app: AppId, topic: Topic, key: IdempotencyKey): Promise<Appended | undefined>;

  /** As `readSince` reads a range of a sealed topic; undefined where something of it is no longer kept. */
  readMoved(app: AppId, topic: Topic, range: MovedRange, options: PageOptions): Promise<MovedPage | undefined>;

  /** As `readLatest` does: the newest of the range. */
  readMovedLatest(app: AppId, topic: Topic, range: MovedRange, options: PageOptions): Promise<MovedPage>;

  /** All of a range, which is what one tick left over. */
  readMovedTick(app: AppId, topic: Topic, range: MovedRange): Promise<readonly TickMessage[]>;
}

/** A log whose topics can move. */
export interface MovableTopicLog extends TopicLog, TopicMover {}
