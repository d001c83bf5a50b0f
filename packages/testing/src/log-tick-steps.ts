import { expect } from "@jest/globals";
import {
  type Appended,
  type ConnectionId,
  DEFAULT_APP,
  type Ticking,
  type TickPage,
  type WakeUp,
} from "@topicast/core";
import type { Json, Place } from "@topicast/protocol";
import { aTopic } from "./factories.ts";
import { type AppendOptions, append, type TopicLogHarness } from "./log-steps.ts";

const topic = aTopic();

let wakeUps = 0;

export function aWakeUp({ clock }: TopicLogHarness, isSent = true): WakeUp {
  wakeUps += 1;
  return { id: `w${wakeUps}`, dueAt: clock.now() + 50, isSent };
}

export interface TickOptions extends Omit<AppendOptions, "tick"> {
  readonly except?: ConnectionId;
}

export type Ticked = Appended & { readonly ticking: Ticking };

/** Appends as a publisher to a ticked topic does. */
export async function tick(
  of: TopicLogHarness,
  payloads: readonly Json[],
  { except, ...options }: TickOptions = {},
): Promise<Ticked> {
  const claim = { wakeUp: aWakeUp(of), ...(except !== undefined && { except }) };
  const { ticking, ...appended } = await append(of, topic, payloads, { ...options, tick: claim });
  if (ticking === undefined) throw new Error("An append that was to leave in a tick says nothing of ticks.");
  return { ...appended, ticking };
}

export function gather(
  of: TopicLogHarness,
  payloads: readonly Json[],
  about: { from?: string; latest?: string; except?: ConnectionId } = {},
) {
  const { except, ...marks } = about;
  const claim = { wakeUp: aWakeUp(of), ...(except !== undefined && { except }) };
  return of.log.gather(DEFAULT_APP, topic, { payloads, time: of.clock.now(), ...marks, tick: claim });
}

export async function read({ log }: TopicLogHarness, after: Place): Promise<TickPage> {
  const page = await log.readTick(DEFAULT_APP, topic, after);
  if (page === undefined) throw new Error("The topic has another epoch.");
  return page;
}

/** As a worker does. */
export async function claim(of: TopicLogHarness, after: Place): Promise<TickPage> {
  const page = await read(of, after);
  expect(await of.log.claimTick(DEFAULT_APP, topic, page, aWakeUp(of))).toBe(true);
  return page;
}

export const payloadsIn = (messages: TickPage["numbered"]) => messages.map(({ message }) => message.payload);

/** The wake-up that a page tells of. */
export function wakeUpOf({ ticking }: TickPage): WakeUp {
  if (ticking === undefined) throw new Error("The topic has no wake-up.");
  return ticking.wakeUp;
}
