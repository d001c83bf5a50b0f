import type { Lost } from "@topicast/protocol";
import type { Journal, Session } from "./journal.ts";
import { retentionOf } from "./topics.ts";
import type { Kept, Watch } from "./watch.ts";

/** From when a message gets its time to when it can be read: as long as its publisher may run, and the network. */
const SLACK_MS = 25_000;

/** What is reported as lost is really gone: deleted, or history that is too old or too much, and nobody told the client in time. */
export function checkLost(journal: Journal, watch: Watch): string[] {
  return journal.sessions.flatMap((session) => {
    return session.steps.flatMap(({ at, lost, syncedAt }) => {
      if (lost === undefined || isGone(journal, watch, session, lost, at, syncedAt)) return [];
      const { after, place } = lost;
      const range = `${after.epoch}:${after.seq} to ${place.epoch}:${place.seq}`;
      return [`${session.client} in ${session.topic} reported ${range} as lost at ${at}, and it is not`];
    });
  });
}

function isGone(
  { deletions }: Journal,
  watch: Watch,
  { topic }: Session,
  { after, place }: Lost,
  at: number,
  syncedAt: number,
): boolean {
  if (after.epoch !== place.epoch)
    return deletions.some((deletion) => deletion.topic === topic && deletion.startedAt < at);
  const kept = watch.kept(topic).filter(({ epoch, keptAt }) => epoch === after.epoch && keptAt <= at);
  const missed = kept.filter(({ seq }) => seq > after.seq && seq <= place.seq);
  const { maxAgeMs, maxMessages } = retentionOf(topic);
  const isTooOld = ({ time }: Kept) => at - time >= maxAgeMs && at - syncedAt >= maxAgeMs - SLACK_MS;
  const isTooMany = ({ seq }: Kept) => kept.filter((other) => other.seq > seq).length >= maxMessages;
  return missed.some((message) => isTooOld(message) || isTooMany(message));
}
