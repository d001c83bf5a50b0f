import type { Message, Place } from "./frames.ts";

/** What an `ack` of subscribe or history says of a topic; with `since` its `messages` ascend and hold all up to the last of them. */
export interface ReceivedPage {
  readonly epoch: string;
  readonly seq: number;
  readonly recovered?: boolean;
  readonly messages?: readonly Message[];
  readonly more?: boolean;
}

/** Messages that can't be had any more: those after `after` up to `place`. The application must reload its state. */
export interface Lost {
  readonly after: Place;
  readonly place: Place;
}

export interface Received {
  /** Each once, in order; those without a number as they come. They follow what was lost. */
  readonly messages: readonly Message[];
  readonly lost?: Lost | undefined;
}

/**
 * Turns what arrives of one topic, in any order and number, into each message once and in order. It has no timer and sends nothing: its owner
 * calls `ask` when `dueAt` has come and sends `history` with the place that it gets. One who publishes with `echo: false` gives it its own
 * messages when the `ack` has told their numbers, and knows them again by identity.
 *
 * Where `history` is refused for good, such as by `forbidden`, the gap stays and `ask` keeps naming it: then give the topic up.
 *
 * Why it is right: within an epoch the place only rises, past what was emitted, or what a complete answer says is void, or what is reported as
 * lost; only a service that never had the place says so and takes it back. To another epoch it moves only by an answer to the present place, which the service gave after that place was reached; so it never
 * returns to an older one.
 */
export interface Receiver {
  /** Everything up to it was emitted, is void, or was reported as lost. Undefined before the first ack. */
  readonly place: Place | undefined;
  /** Unix ms at which it wants `ask` to be called, undefined where it misses nothing. */
  readonly dueAt: number | undefined;
  /**
   * A `messages` frame. What has a number is held until the first ack; what has none is passed on even before, because it has no order to keep and
   * is of no use later.
   */
  receive(frame: { readonly epoch?: string; readonly messages: readonly Message[] }, now: number): Received;
  /** The ack of a subscribe or history that was sent with `since` (undefined: without one). */
  ack(page: ReceivedPage, since: Place | undefined, now: number): Received;
  /** What to ask `history` for now, if anything; the next time is set further away, twice as far while nothing moves. */
  ask(now: number): Place | undefined;
  /** `pong.behind` named the topic: something is missing for sure, so ask at once. */
  check(now: number): void;
}

/** `random` gives numbers from 0 up to 1, for the jitter. Its shape is that of what is small when minified: the SDK carries it into every page. */
export function createReceiver(random: () => number = Math.random): Receiver {
  /** Messages held at once. What comes beyond is let go: history brings it back. */
  const MAX_HELD = 1_000;
  /** How long a hole may take to close by itself, and the longest wait between two asks; each is jittered by half. */
  const FIRST_DELAY_MS = 200;
  const MAX_DELAY_MS = 3_200;
  let place: Place | undefined;
  let dueAt: number | undefined;
  let delayMs = FIRST_DELAY_MS;
  /** By epoch and number: what came early, before the first ack, or of another epoch than the place's. */
  const held = new Map<string | undefined, readonly [Place, Message]>();
  /** What the present call emits. */
  let emitted: Message[];
  /** Whether something is missing that no hole before what is held shows. */
  let isBehind = false;
  /** The number that it first asked from since it last learnt of something missing: a complete answer from there on has it all. */
  let askedFrom: number | undefined;

  const nextKey = () => place && `${place.seq + 1}:${place.epoch}`;
  const laterThan = (now: number) => now + delayMs * (0.5 + random());

  function learnBehind() {
    isBehind = true;
    askedFrom = undefined;
  }

  function forget(isOld: (at: Place) => boolean) {
    for (const [key, [at]] of held) if (isOld(at)) held.delete(key);
  }

  function take(epoch: string | undefined, message: Message) {
    const { seq } = message;
    if (!epoch || !seq) return void emitted.push(message);
    // An answer that is on its way may not know of what is of another epoch; how far that is nobody can say.
    if (epoch !== place?.epoch) askedFrom = undefined;
    else if (seq <= place.seq) return;
    const key = `${seq}:${epoch}`;
    if (key === nextKey() || held.size < MAX_HELD) held.set(key, [{ epoch, seq }, message]);
    else learnBehind();
    drain();
  }

  /** Emits what is held as far as it follows the place. */
  function drain() {
    for (let next = held.get(nextKey()); next; next = held.get(nextKey())) {
      held.delete(nextKey());
      emitted.push(next[1]);
      place = next[0];
    }
  }

  /** Without `since` an answer is where to begin. Later it may be a late one, which proves no more than a frame does. */
  function begin({ epoch, seq, messages = [] }: ReceivedPage, now: number): undefined {
    if (place) {
      for (const message of messages) take(epoch, message);
      if (epoch !== place.epoch || seq > place.seq) {
        learnBehind();
        dueAt = now;
      }
    } else {
      emitted.push(...messages);
      place = { epoch, seq };
    }
  }

  function advance(page: ReceivedPage, since: Place): Lost | undefined {
    const { epoch, seq, recovered, messages = [], more } = page;
    place ??= since;
    // An answer to another epoch's place, or that there is none to a place that has been passed since: it is old.
    if (since.epoch !== place.epoch || since.seq > place.seq || (!recovered && since.seq < place.seq)) return undefined;
    const after = place;
    const end = more ? (messages.at(-1)?.seq ?? since.seq) : seq;
    if (recovered) emitted.push(...messages.filter((message) => (message.seq as number) > after.seq));
    if (!recovered || end > after.seq) place = { epoch, seq: end };
    if (more) learnBehind();
    // Where it hasn't asked, no number is as large as that.
    else if (since.seq >= (askedFrom as number)) {
      // All that was missing when it asked is here: what is of another epoch is older.
      isBehind = false;
      askedFrom = undefined;
      forget((at) => at.epoch !== epoch);
    }
    return recovered ? undefined : { after, place };
  }

  /** Sets when to ask, after something came. */
  function plan(before: Place | undefined, now: number) {
    if (!place) return;
    const hasMoved = place !== before;
    if (hasMoved || dueAt === undefined) delayMs = FIRST_DELAY_MS;
    if (!held.size && !isBehind) dueAt = undefined;
    // Where it has moved, it is another hole than the one that was asked about.
    else if (dueAt === undefined || (hasMoved && held.size)) dueAt = Math.min(dueAt ?? Infinity, laterThan(now));
  }

  return {
    get place() {
      return place;
    },
    get dueAt() {
      return dueAt;
    },

    receive({ epoch, messages }, now) {
      const before = place;
      emitted = [];
      for (const message of messages) take(epoch, message);
      plan(before, now);
      return { messages: emitted };
    },

    ack(page, since, now) {
      const before = place;
      emitted = [];
      const lost = since ? advance(page, since) : begin(page, now);
      forget((at) => at.epoch === place?.epoch && at.seq <= place.seq);
      drain();
      plan(before, now);
      if (page.more && since && place !== before) dueAt = now;
      return { messages: emitted, lost };
    },

    ask(now) {
      if (dueAt === undefined || now < dueAt) return undefined;
      delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
      dueAt = laterThan(now);
      askedFrom ??= place?.seq;
      return place;
    },

    check(now) {
      if (!place) return;
      learnBehind();
      dueAt = now;
    },
  };
}
