import type { Ticking, WakeUp } from "../../ports/ticks.ts";

/** One text, so that all of it is compared. */
export function wakeUpText({ id, dueAt, isSent }: WakeUp): string {
  return `${id} ${dueAt} ${isSent ? 1 : 0}`;
}

/** Undefined where the topic has no wake-up. `handedOut`: the last number that was handed out. */
export function tickingOf(epoch: string, wakeUp: string, handedOut: number): Ticking | undefined {
  if (wakeUp === "") return undefined;
  const [id = "", dueAt, isSent] = wakeUp.split(" ");
  return { place: { epoch, seq: handedOut }, wakeUp: { id, dueAt: Number(dueAt), isSent: isSent === "1" } };
}
