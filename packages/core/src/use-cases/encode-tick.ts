import type { ConnectionId, Outgoing, Subscriber } from "../model.ts";
import type { MessagesFanout } from "../ports/fanout-queue.ts";
import type { Envelope } from "../service.ts";

/** Only what is numbered has an epoch. */
export function epochOf(messages: readonly Outgoing[], epoch: string | undefined) {
  return messages.some(({ seq }) => seq !== undefined) && epoch !== undefined ? { epoch } : {};
}

/**
 * The frames of what a tick took, each encoded once: for all; for who wants no copy of what it sent itself; and for who subscribed since, who may have met what
 * is ephemeral on a page before, and come back.
 */
export function encodeTick({ frames }: Envelope, { takenAt = Infinity, ...fanout }: MessagesFanout) {
  const { messages } = fanout;
  const excepted = new Set(messages.map(({ except }) => except));
  const encoded = new Map<string, readonly string[]>();

  function encode(id: ConnectionId | undefined, isLate: boolean): readonly string[] {
    const key = `${isLate} ${id}`;
    const known = encoded.get(key);
    if (known !== undefined) return known;
    const meant = messages
      .filter(({ seq, except }) => (seq !== undefined || !isLate) && (id === undefined || except !== id))
      .map(({ except: _, ...message }) => message);
    const { epoch: __, ...about } = fanout;
    const list = meant.length === 0 ? [] : frames({ ...about, ...epochOf(meant, fanout.epoch), messages: meant });
    encoded.set(key, list);
    return list;
  }

  return {
    all: encode(undefined, false),
    of: ({ id, subscribedAt }: Subscriber) => encode(excepted.has(id) ? id : undefined, subscribedAt > takenAt),
  };
}
