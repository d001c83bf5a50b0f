import {
  GATHERED_AFTER_MS,
  type Gathering,
  type TickClaim,
  type Ticking,
  type TickMessage,
  type TickPage,
  type WakeUp,
} from "../../ports/ticks.ts";
import type { Luggage } from "../../ports/topic-mover.ts";
import type { Histories } from "./memory-history.ts";
import type { TopicRow } from "./memory-rows.ts";

/** What is gathered and no tick took yet. */
interface Gathered {
  readonly number: number;
  /** Unix ms at which it was counted. */
  readonly countedAt: number;
  /** Undefined until it is written. */
  messages: readonly TickMessage[] | undefined;
}

/** A topic's, in one of its epochs. */
export interface TickState {
  /** Present while something may wait. */
  wakeUp?: WakeUp | undefined;
  /** The last number that was handed out; of meaning while there is a wake-up. */
  handedOut: number;
  /** The last number of what was gathered, and the last of these that was handed out. */
  gathered: number;
  gatheredUpTo: number;
  /** By their numbers, which ascend. */
  waiting: Gathered[];
}

export function createTickState(): TickState {
  return { handedOut: 0, gathered: 0, gatheredUpTo: 0, waiting: [] };
}

/** As another store left it; what was gathered here before the topic went there is of no use any more. */
export function continueTicks(ticks: TickState, { ticking, gathered }: Pick<Luggage, "ticking" | "gathered">): void {
  ticks.wakeUp = ticking?.wakeUp;
  ticks.handedOut = ticking?.place.seq ?? 0;
  ticks.gathered = gathered;
  ticks.gatheredUpTo = gathered;
  ticks.waiting = [];
}

/** In the same step as the count that it is part of, and before it. */
export function claimTicks({ ticks, taken, epoch }: TopicRow, { wakeUp }: TickClaim): Ticking {
  if (ticks.wakeUp === undefined) {
    ticks.wakeUp = { ...wakeUp, isSent: false };
    ticks.handedOut = taken;
  }
  return { wakeUp: ticks.wakeUp, place: { epoch, seq: ticks.handedOut } };
}

/** Numbers beyond this one still wait for a tick, and must not be dropped. */
export function handedOutUpTo({ ticks }: TopicRow): number {
  return ticks.wakeUp === undefined ? Number.POSITIVE_INFINITY : ticks.handedOut;
}

/** Counts in what is gathered; returns how it is written then. */
export function countGathered(row: TopicRow, gathering: Gathering, now: number): [Ticking, write: () => void] {
  const { ticks } = row;
  const ticking = claimTicks(row, gathering.tick);
  ticks.gathered += 1;
  const waiting: Gathered = { number: ticks.gathered, countedAt: now, messages: undefined };
  ticks.waiting.push(waiting);
  return [ticking, () => Object.assign(waiting, { messages: tickMessagesOf(gathering) })];
}

function tickMessagesOf({ payloads, from, time, key, latest, tick: { except } }: Gathering): TickMessage[] {
  const marks = { ...(from !== undefined && { from }), time, ...(key !== undefined && { key }) };
  const about = { ...(except !== undefined && { except }), ...(latest !== undefined && { latest }) };
  return payloads.map((payload) => ({ message: { payload, ...marks }, ...about }));
}

/** What waits between a number and how far the topic is settled. */
export function readTickPage(
  histories: Histories,
  row: TopicRow,
  after: number,
  settled: number,
  now: number,
): TickPage {
  const { epoch, ticks, history, taken } = row;
  const numbered = histories.tickBetween(history, after + 1, settled);
  const last = numbered.at(-1)?.message.seq ?? settled;
  const isFull = histories.between(history, last + 1, settled).length > 0;
  const upTo = isFull ? last : Math.max(after, settled);
  const { messages, gatheredUpTo } = readGathered(ticks, now);
  const { wakeUp } = ticks;
  return {
    ...(wakeUp !== undefined && { ticking: { wakeUp, place: { epoch, seq: ticks.handedOut } } }),
    numbered,
    upTo: { epoch, seq: upTo },
    isFull,
    gathered: messages,
    gatheredUpTo,
    isAll: upTo === taken && gatheredUpTo === ticks.gathered,
  };
}

function readGathered({ waiting, gatheredUpTo: before }: TickState, now: number) {
  const messages: TickMessage[] = [];
  let gatheredUpTo = before;
  for (const { number, countedAt, messages: written } of waiting) {
    if (written === undefined && now - countedAt < GATHERED_AFTER_MS) break;
    messages.push(...(written ?? []));
    gatheredUpTo = number;
  }
  return { messages, gatheredUpTo };
}

/** Whether the topic has that wake-up, and the other from now on. */
export function replaceWakeUp({ ticks }: TopicRow, from: WakeUp | undefined, to: WakeUp): boolean {
  if (!isSame(ticks.wakeUp, from)) return false;
  ticks.wakeUp = to;
  return true;
}

export function handOut(row: TopicRow, { ticking, upTo, gatheredUpTo }: TickPage, next: WakeUp): boolean {
  const { ticks } = row;
  if (!replaceWakeUp(row, ticking?.wakeUp, next)) return false;
  ticks.handedOut = upTo.seq;
  // A page that was read before the topic came here has less than was gathered by then.
  ticks.gatheredUpTo = Math.max(ticks.gatheredUpTo, gatheredUpTo);
  ticks.waiting = ticks.waiting.filter(({ number }) => number > gatheredUpTo);
  return true;
}

export function endTicks({ ticks, taken }: TopicRow, { ticking, upTo, gatheredUpTo }: TickPage): boolean {
  const isNewer = taken !== upTo.seq || ticks.gathered !== gatheredUpTo;
  if (isNewer || !isSame(ticks.wakeUp, ticking?.wakeUp)) return false;
  ticks.wakeUp = undefined;
  ticks.gatheredUpTo = gatheredUpTo;
  ticks.waiting = [];
  return true;
}

function isSame(one: WakeUp | undefined, other: WakeUp | undefined): boolean {
  return one !== undefined && one.id === other?.id && one.isSent === other.isSent;
}
