import type { Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import { isMoved, UnavailableError } from "../../errors.ts";
import type { AppId } from "../../model.ts";
import { KEY_LIFE_MS } from "../../ports/topic-log.ts";
import type { MovableTopicLog, TopicState } from "../../ports/topic-mover.ts";
import { randomName } from "../../random-name.ts";

/** Looks at both stores, with a step done between two of them, before a caller is told to try again. */
const MAX_LOOKS = 12;
/** Times that a call follows a topic which moves under its hands. */
const MAX_FOLLOWS = 6;
/** What was found out about a topic is believed for so long, as long as its store doesn't say otherwise. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * A topic stays where it went for so long, in ms: while some processes are a step behind others, and want it where it was, it doesn't go to and fro with each call.
 * As long as a key is remembered, so that what was published before an earlier move needs no looking for; and far longer than any call, so that
 * none sees a topic go and come back.
 */
export const HOLD_MS = KEY_LIFE_MS;

/** 0 and 1: the stores of all processes are in the same order, whichever of them is to have the topics. */
export type StoreIndex = 0 | 1;

export interface OwnerOptions {
  readonly stores: readonly [MovableTopicLog, MovableTopicLog];
  /** Where topics are to be. */
  readonly owner: StoreIndex;
  readonly clock: Pick<Clock, "now">;
  readonly holdMs: number;
}

/** Which store numbers a topic. */
export interface Owned {
  readonly store: MovableTopicLog;
  /** The one that may have had it before. */
  readonly other: MovableTopicLog;
  readonly state: TopicState;
}

export interface TopicOwners {
  /** Runs a call on the store that has the topic, which it goes to first where it isn't where it is to be; begins it where there is none. */
  onOwner<T>(app: AppId, topic: Topic, call: (owned: Owned) => Promise<T>): Promise<T>;
  /** The same wherever it is; undefined where there is none. */
  whereItIs<T>(app: AppId, topic: Topic, call: (owned: Owned) => Promise<T>): Promise<T | undefined>;
}

interface Remembered extends Owned {
  readonly index: StoreIndex;
  /** Unix ms. */
  readonly until: number;
}

interface Topics {
  readonly app: AppId;
  readonly topic: Topic;
}

export function createTopicOwners({ stores, owner, clock, holdMs }: OwnerOptions): TopicOwners {
  const remembered = new Map<string, Remembered>();
  /** One at a time for a topic: the others want the same. */
  const searches = new Map<string, Promise<Remembered | undefined>>();

  function isToMove(index: StoreIndex, { movedAt = Number.NEGATIVE_INFINITY }: TopicState): boolean {
    return index !== owner && clock.now() >= movedAt + holdMs;
  }

  function found(index: StoreIndex, state: TopicState): Remembered {
    const until = clock.now() + Math.min(REMEMBERED_MS, holdMs);
    return { store: stores[index], other: stores[other(index)], state, index, until };
  }

  /** Where nobody has it: begun in the first store by all who know both, so that it begins once. */
  async function begin({ app, topic }: Topics): Promise<void> {
    try {
      await stores[0].place(app, topic);
    } catch (error) {
      // Somebody else began it, and it went on already.
      if (!isMoved(error)) throw error;
    }
  }

  /** From a sealed topic to the other store; by anyone, so that nobody needs to wait for who sealed it. */
  async function carryOn({ app, topic }: Topics, from: StoreIndex, { generation, isGone }: TopicState): Promise<void> {
    const luggage = await stores[from].seal(app, topic, generation);
    if (luggage === undefined) return;
    // The other store had it, and lost it. In another epoch no number comes again.
    const carried = isGone ? { place: { epoch: randomName(), seq: 0 }, generation, gathered: 0 } : luggage;
    await stores[other(from)].takeOver(app, topic, carried);
  }

  /**
   * A process that knows only one store has begun a topic there that others have in the other one. What was used last is the topic; the other, of which nobody
   * has heard for longer, or ever, is forgotten. Of one epoch are what two looks saw of one move, or what a store says that lost that it was sealed.
   */
  async function settleConflict({ app, topic }: Topics, states: readonly [TopicState, TopicState]): Promise<void> {
    const [one, two] = states;
    if (one.last.epoch === two.last.epoch) {
      const older = one.generation < two.generation ? 0 : 1;
      await stores[older].seal(app, topic, states[older].generation);
      return;
    }
    const loser = isRather(one, two) ? 1 : 0;
    await stores[loser].discard(app, topic, states[loser].last);
  }

  /** The topic where it is, once the other store knows that it is there. */
  async function settleIn({ app, topic }: Topics, index: StoreIndex, state: TopicState, before?: TopicState) {
    if (before?.isSealed && !before.isGone) await stores[other(index)].letGo(app, topic, before.generation);
    return found(index, state);
  }

  async function look({ app, topic }: Topics) {
    return Promise.all([stores[0].look(app, topic), stores[1].look(app, topic)]);
  }

  async function search(at: Topics, mayChange: boolean): Promise<Remembered | undefined> {
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const [one, two] = await look(at);
      if (one && two && !one.isSealed && !two.isSealed) await settleConflict(at, [one, two]);
      else if (one && !one.isSealed) {
        if (!mayChange || !isToMove(0, one)) return settleIn(at, 0, one, two);
        await carryOn(at, 0, one);
      } else if (two && !two.isSealed) {
        if (!mayChange || !isToMove(1, two)) return settleIn(at, 1, two, one);
        await carryOn(at, 1, two);
      } else if (one || two) {
        const from = (one?.generation ?? -1) > (two?.generation ?? -1) ? 0 : 1;
        await carryOn(at, from, [one, two][from] as TopicState);
      } else if (mayChange) await begin(at);
      else return undefined;
    }
    throw new UnavailableError("store", `A topic was on its way between two stores for ${MAX_LOOKS} looks. Try again.`);
  }

  /** The oldest entry is forgotten: who needs it looks again. */
  function remember(name: string, owned: Remembered): void {
    remembered.delete(name);
    for (const oldest of remembered.keys()) {
      if (remembered.size < MAX_REMEMBERED) break;
      remembered.delete(oldest);
    }
    remembered.set(name, owned);
  }

  async function find(at: Topics, mayChange: boolean): Promise<Remembered | undefined> {
    const name = `${at.app}\0${at.topic}`;
    const known = remembered.get(name);
    if (known && known.until > clock.now() && !(mayChange && isToMove(known.index, known.state))) return known;
    const searching = `${mayChange} ${name}`;
    const running = searches.get(searching);
    if (running !== undefined) return running;
    const begun = search(at, mayChange);
    searches.set(searching, begun);
    try {
      const owned = await begun;
      if (owned !== undefined) remember(name, owned);
      return owned;
    } finally {
      searches.delete(searching);
    }
  }

  async function follow<T>(at: Topics, mayChange: boolean, call: (owned: Owned) => Promise<T>): Promise<T | undefined> {
    for (let follows = 0; follows < MAX_FOLLOWS; follows++) {
      const owned = await find(at, mayChange);
      if (owned === undefined) return undefined;
      try {
        return await call(owned);
      } catch (error) {
        if (!isMoved(error)) throw error;
        const name = `${at.app}\0${at.topic}`;
        if (remembered.get(name) === owned) remembered.delete(name);
      }
    }
    throw new UnavailableError("store", `A topic moved ${MAX_FOLLOWS} times during a call. Try again.`);
  }

  return {
    onOwner: (app, topic, call) => follow({ app, topic }, true, call) as Promise<never>,
    whereItIs: (app, topic, call) => follow({ app, topic }, false, call),
  };
}

function isRather(one: TopicState, two: TopicState): boolean {
  const isOneUsed = one.last.seq > 0;
  return isOneUsed === two.last.seq > 0 ? one.activeAt > two.activeAt : isOneUsed;
}

function other(index: StoreIndex): StoreIndex {
  return index === 0 ? 1 : 0;
}
