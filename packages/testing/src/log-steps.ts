import type { Appended, LoggedMessage, LogPage, TopicLog } from "@topicast/core";
import { type AppId, DEFAULT_APP } from "@topicast/core";
import type { Json, Place, Topic } from "@topicast/protocol";
import type { TestClock } from "./clock.ts";
import type { Closable } from "./harness.ts";

/** The history that a log keeps of each topic. */
export interface Retention {
  readonly maxMessages: number;
  readonly maxAgeMs: number;
}

/** One append, held between taking its number and writing it. */
export interface HeldWrite {
  /** Resolves when the append has its number and is held. */
  readonly held: Promise<void>;
  /** Lets it write. */
  release(): void;
  /** Makes the write fail, so that the append throws. */
  fail(): void;
}

/** An empty log. */
export interface TopicLogHarness extends Closable {
  readonly log: TopicLog;
  /** The log's clock. It stands still until a test moves it. */
  readonly clock: TestClock;
  /** Holds the next append that takes a number, and no other: where that one takes another number later, it isn't held. */
  holdNextWrite(): HeldWrite;
}

export type CreateTopicLogHarness = (retention: Retention) => Promise<TopicLogHarness>;

/** What the protocol gives a topic where nothing else is set. */
export const DEFAULT_RETENTION: Retention = { maxMessages: 1_000, maxAgeMs: 120_000 };

/** Appends payloads as one batch now. */
export function append(
  { log, clock }: TopicLogHarness,
  topic: Topic,
  payloads: readonly Json[],
  app: AppId = DEFAULT_APP,
): Promise<Appended> {
  return log.append(app, topic, { payloads, from: "alice", time: clock.now() });
}

/** Begins an append and holds it once it has its number. Nobody needs to wait for `appended`. */
export async function appendHeld(
  harness: TopicLogHarness,
  topic: Topic,
  payloads: readonly Json[],
): Promise<HeldWrite & { readonly appended: Promise<Appended> }> {
  const write = harness.holdNextWrite();
  const appended = append(harness, topic, payloads);
  // One that is never released, as a publisher that died, must not count as an unhandled rejection when the harness closes.
  appended.catch(() => undefined);
  await write.held;
  return { ...write, appended };
}

export interface History {
  readonly recovered: boolean;
  /** As the last page said. */
  readonly place: Place;
  readonly messages: readonly LoggedMessage[];
}

/** All pages after a place. Throws where a page is over the limit, is out of order, or says that more follow and holds none. */
export async function historySince(
  { log }: TopicLogHarness,
  topic: Topic,
  since: Place,
  limit = 100,
  app: AppId = DEFAULT_APP,
): Promise<History> {
  const messages: LoggedMessage[] = [];
  for (;;) {
    const at = { epoch: since.epoch, seq: messages.at(-1)?.seq ?? since.seq };
    const page = await log.readSince(app, topic, at, limit);
    if (!page.recovered) return { recovered: false, place: page.place, messages: [] };
    assertPage(page, at.seq, limit);
    messages.push(...page.messages);
    if (!page.more) return { recovered: true, place: page.place, messages };
  }
}

function assertPage({ messages, more, place }: LogPage & { recovered: true }, after: number, limit: number): void {
  if (messages.length > limit) throw new Error(`A page of at most ${limit} messages holds ${messages.length}.`);
  if (more && messages.length === 0) throw new Error("A page is empty and says that more follow.");
  let last = after;
  for (const { seq } of messages) {
    if (seq <= last || seq > place.seq) throw new Error(`A page has ${seq} after ${last}, settled up to ${place.seq}.`);
    last = seq;
  }
}

/** All that the topic has, from the beginning of its epoch. */
export async function wholeHistory(harness: TopicLogHarness, topic: Topic, app: AppId = DEFAULT_APP): Promise<History> {
  const { epoch } = await harness.log.place(app, topic);
  return historySince(harness, topic, { epoch, seq: 0 }, 100, app);
}

export function seqsOf(messages: readonly LoggedMessage[]): readonly number[] {
  return messages.map(({ seq }) => seq);
}

/** `first` to `last`, both included. */
export function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
