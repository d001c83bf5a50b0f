import type { Appended, IdempotencyKey, LoggedMessage, LogPage, Retention, TickClaim, TopicLog } from "@topicast/core";
import { type AppId, DEFAULT_APP } from "@topicast/core";
import { type Json, MAX_SERVER_FRAME_BYTES, type Place, type Topic } from "@topicast/protocol";
import type { TestClock } from "./clock.ts";
import type { Closable } from "./harness.ts";

/** One append, held between two of its steps. */
export interface HeldWrite {
  /** Resolves when the append has come so far and is held. */
  readonly held: Promise<void>;
  /** Lets it go on. */
  release(): void;
  /** Makes the next step fail, so that the append throws. */
  fail(): void;
}

/**
 * An empty log. An append takes numbers, lets its key stand for them where it has one, and writes. A test can hold it in between; each hold
 * is for one append's one step: where that one comes to the same step again, it isn't held. Where an append is one step, either hold is before that.
 */
export interface TopicLogHarness extends Closable {
  readonly log: TopicLog;
  /** The log's clock. It stands still until a test moves it. */
  readonly clock: TestClock;
  /** Holds the next append that has numbers before its key stands for them, whether the key is new or stood for others. */
  holdNextKey(): HeldWrite;
  /** Holds the next append that has numbers, and its key where it has one, before it writes. */
  holdNextWrite(): HeldWrite;
}

export type CreateTopicLogHarness = () => Promise<TopicLogHarness>;

/** What the protocol gives a topic where nothing else is set. */
export const DEFAULT_RETENTION: Retention = { maxMessages: 1_000, maxAgeMs: 120_000 };

export interface AppendOptions {
  readonly app?: AppId;
  readonly key?: IdempotencyKey;
  readonly retention?: Retention;
  readonly tick?: TickClaim;
}

/** Appends payloads as one batch now. */
export function append(
  { log, clock }: TopicLogHarness,
  topic: Topic,
  payloads: readonly Json[],
  { app = DEFAULT_APP, retention = DEFAULT_RETENTION, ...marks }: AppendOptions = {},
): Promise<Appended> {
  const batch = { payloads, from: "alice", time: clock.now(), ...marks };
  return log.append(app, topic, batch, retention);
}

export interface HeldAppend extends HeldWrite {
  /** Nobody needs to wait for it. */
  readonly appended: Promise<Appended>;
}

/** Begins an append and holds it before it writes, or before its key stands for its numbers. */
export async function appendHeld(
  harness: TopicLogHarness,
  topic: Topic,
  payloads: readonly Json[],
  { before = "write", ...options }: AppendOptions & { readonly before?: "key" | "write" } = {},
): Promise<HeldAppend> {
  const write = before === "key" ? harness.holdNextKey() : harness.holdNextWrite();
  const appended = append(harness, topic, payloads, options);
  // One that is never released, as a publisher that died, must not count as an unhandled rejection when the harness closes.
  appended.catch(() => undefined);
  await write.held;
  return { ...write, appended };
}

export interface ReadOptions {
  readonly limit?: number;
  readonly app?: AppId;
  readonly retention?: Retention;
}

export function readSince(
  { log }: TopicLogHarness,
  topic: Topic,
  since: Place,
  options: ReadOptions = {},
): Promise<LogPage> {
  const { limit = 100, app = DEFAULT_APP, retention = DEFAULT_RETENTION } = options;
  return log.readSince(app, topic, since, { limit, retention });
}

export interface History {
  readonly recovered: boolean;
  /** As the last page said. */
  readonly place: Place;
  readonly messages: readonly LoggedMessage[];
}

/** All pages after a place. Throws where a page is over its bounds, is out of order, or says that more follow and holds none. */
export async function historySince(
  harness: TopicLogHarness,
  topic: Topic,
  since: Place,
  options: ReadOptions = {},
): Promise<History> {
  const messages: LoggedMessage[] = [];
  for (;;) {
    const at = { epoch: since.epoch, seq: messages.at(-1)?.seq ?? since.seq };
    const page = await readSince(harness, topic, at, options);
    if (!page.recovered) return { recovered: false, place: page.place, messages: [] };
    if (page.more && page.messages.length === 0) throw new Error("A page is empty and says that more follow.");
    assertPage(page, at.seq, options);
    messages.push(...page.messages);
    if (!page.more) return { recovered: true, place: page.place, messages };
  }
}

/** The newest messages. Throws where they are over their bounds or out of order. */
export async function latest(
  harness: TopicLogHarness,
  topic: Topic,
  options: ReadOptions = {},
): Promise<readonly LoggedMessage[]> {
  const { limit = 100, app = DEFAULT_APP, retention = DEFAULT_RETENTION } = options;
  const page = await harness.log.readLatest(app, topic, { limit, retention });
  assertPage(page, 0, options);
  return page.messages;
}

function assertPage(
  { messages, place }: { readonly messages: readonly LoggedMessage[]; readonly place: Place },
  after: number,
  { limit = 100 }: ReadOptions,
): void {
  if (messages.length > limit) throw new Error(`A page of at most ${limit} messages holds ${messages.length}.`);
  const bytes = messages.reduce((sum, { payload }) => sum + Buffer.byteLength(JSON.stringify(payload)), 0);
  if (messages.length > 1 && bytes > MAX_SERVER_FRAME_BYTES)
    throw new Error(`A page holds ${bytes} bytes of payloads.`);
  let last = after;
  for (const { seq } of messages) {
    if (seq <= last || seq > place.seq) throw new Error(`A page has ${seq} after ${last}, settled up to ${place.seq}.`);
    last = seq;
  }
}

/** All that the topic has, from the beginning of its epoch. */
export async function wholeHistory(harness: TopicLogHarness, topic: Topic, app: AppId = DEFAULT_APP): Promise<History> {
  const { epoch } = await harness.log.place(app, topic);
  return historySince(harness, topic, { epoch, seq: 0 }, { app });
}

export function seqsOf(messages: readonly LoggedMessage[]): readonly number[] {
  return messages.map(({ seq }) => seq);
}

export function payloadsOf(messages: readonly LoggedMessage[]): readonly Json[] {
  return messages.map(({ payload }) => payload);
}

/** `first` to `last`, both included. */
export function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
