import type { Place } from "@topicast/protocol";
import { type Journal, type Publication, payloadOf, type Session, type Step } from "./journal.ts";

/** A stretch of an epoch that a session has to have in full. */
interface Stretch {
  readonly epoch: string;
  readonly after: number;
  upTo: number;
}

/**
 * What each session emitted is strictly in order, each message once; and in each stretch of numbers that it went through, from the place where
 * it began or what was reported as lost to the next such report or the end, is every message that was acknowledged.
 */
export function checkSessions({ sessions, publications }: Journal): string[] {
  return sessions.flatMap((session) => {
    const { began } = session;
    const who = `${session.client} in ${session.topic}`;
    if (began === undefined)
      return hasNumbered(session) ? [`${who} emitted before its subscribe was acknowledged`] : [];
    const faults = checkOrder(session.steps, began);
    const owed = publications.filter(({ topic }) => topic === session.topic);
    return [...faults, ...checkComplete(session, began, owed)].map((fault) => `${who} ${fault}`);
  });
}

function hasNumbered({ steps }: Session): boolean {
  return steps.some(({ messages }) => messages.some(({ seq }) => seq !== undefined));
}

function checkOrder(steps: readonly Step[], began: Place): string[] {
  const faults: string[] = [];
  let at = began;
  for (const { messages, lost, place } of steps) {
    if (lost !== undefined) {
      if (lost.after.epoch !== at.epoch || lost.after.seq < at.seq)
        faults.push(`reported ${show(lost.after)} behind ${show(at)} as lost`);
      at = lost.place;
    }
    for (const { seq } of messages) {
      if (seq === undefined || place === undefined) continue;
      if (place.epoch !== at.epoch || seq <= at.seq) faults.push(`emitted ${place.epoch}:${seq} after ${show(at)}`);
      at = { epoch: place.epoch, seq };
    }
  }
  return faults;
}

function checkComplete(session: Session, began: Place, owed: readonly Publication[]): string[] {
  const emitted = new Map<number, number>();
  for (const { messages } of session.steps) {
    for (const message of messages) {
      const { publication } = payloadOf(message);
      emitted.set(publication, (emitted.get(publication) ?? 0) + 1);
    }
  }
  const stretches = stretchesOf(session, began);
  const faults: string[] = [];
  for (const { id, count, latest, acknowledged } of owed) {
    const place = acknowledged?.place;
    const got = emitted.get(id) ?? 0;
    // A batch comes whole, whether or not its publisher knows that it went through; but of a latest the last is enough.
    if (
      latest === undefined &&
      got > 0 &&
      got < count &&
      !session.isOver &&
      session.steps.every(({ lost }) => lost === undefined)
    ) {
      faults.push(`emitted ${got} of the ${count} messages of publication ${id}`);
    }
    if (place === undefined) continue;
    const missing = stretches.some(
      ({ epoch, after, upTo }) => epoch === place.epoch && place.seq - count + 1 > after && place.seq <= upTo,
    );
    if (missing && got < count) faults.push(`never emitted ${show(place)}, publication ${id}, which was acknowledged`);
  }
  return faults;
}

/** A session that ended owes what came before the last that it emitted. */
function stretchesOf({ steps, isOver }: Session, began: Place): Stretch[] {
  let stretch: Stretch = { epoch: began.epoch, after: began.seq, upTo: Infinity };
  const stretches = [stretch];
  for (const { lost } of steps) {
    if (lost === undefined) continue;
    stretch.upTo = lost.after.seq;
    stretch = { epoch: lost.place.epoch, after: lost.place.seq, upTo: Infinity };
    stretches.push(stretch);
  }
  if (isOver) stretch.upTo = lastEmitted(steps) ?? stretch.after;
  return stretches;
}

function lastEmitted(steps: readonly Step[]): number | undefined {
  const last = steps.findLast(
    ({ messages, lost }) => lost !== undefined || messages.some(({ seq }) => seq !== undefined),
  );
  return last?.messages.findLast(({ seq }) => seq !== undefined)?.seq;
}

function show({ epoch, seq }: Place): string {
  return `${epoch}:${seq}`;
}
