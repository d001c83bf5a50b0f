import type { ConnectionId, Job } from "@topicast/core";
import type { Place } from "@topicast/protocol";
import type { Client } from "./client.ts";
import type { Deletion, Membership, Publication } from "./journal.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/** Until then every job of an acknowledged publish is done: its attempts take half a minute, more where workers die or are late. */
const POSTING_MS = 180_000;

/**
 * No lost wake-up: an acknowledged message was posted, and answered 200, to everyone who was a subscriber for sure and stayed one; or the job
 * that had to is a dead letter. The receiver finds what is missing all the same, only later, so that no client can tell.
 */
export function checkWakes(world: World): string[] {
  const letters = world.queue.deadLetters.map(({ body }) => JSON.parse(body) as Job);
  return [...checkMessages(world, letters), ...checkOwn(world), ...checkClosings(world, letters)];
}

function checkMessages({ journal, watch }: World, letters: readonly Job[]): string[] {
  return journal.publications.flatMap((publication) => {
    const { topic, id, acknowledged } = publication;
    const place = acknowledged?.place;
    if (place === undefined) return [];
    const dead = letters.filter((job) => carries(job, topic, place));
    return journal.memberships
      .filter((membership) => isOwed(publication, place, membership, watch))
      .filter(({ connection }) => !watch.wasDelivered(connection, topic, place))
      .filter(({ connection }) => !dead.some((job) => isFor(job, connection)))
      .map(({ connection }) => `${connection} never got ${topic} ${place.epoch}:${place.seq} live, publication ${id}`);
  });
}

function carries(job: Job, topic: string, { epoch, seq }: Place): boolean {
  if (job.kind === "tick") return job.topic === topic && job.from.epoch === epoch && seq > job.from.seq;
  return (
    job.kind === "messages" && job.topic === topic && job.epoch === epoch && job.messages.some((one) => one.seq === seq)
  );
}

/** A job is for those that it names, or for whoever is in its shard. */
function isFor(job: Job, connection: ConnectionId): boolean {
  if (job.kind === "replay") return job.target.id === connection;
  if (job.kind === "direct" || job.kind === "kick") return false;
  if (job.kind === "tick") return true;
  return job.only === undefined || job.only.some(({ id }) => id === connection);
}

/** Who asked for no copy of its own gets none. */
function checkOwn({ journal, watch }: World): string[] {
  return journal.publications.flatMap(({ id, topic, echo, connections, acknowledged }) => {
    const place = acknowledged?.place;
    const [only] = connections;
    // On an earlier connection it may still be met by a repeat that came over a later one.
    if (echo || place === undefined || only === undefined || connections.size > 1) return [];
    return watch.wasDelivered(only, topic, place)
      ? [`${only} was posted its own publication ${id}, against its wish`]
      : [];
  });
}

/** Who was a subscriber when a topic was deleted was told, and answered 200. That it came back proves less: its history tells it too. */
function checkClosings({ journal, clients, watch }: World, letters: readonly Job[]): string[] {
  return journal.deletions
    .filter(({ isDone }) => isDone)
    .flatMap((deletion) =>
      clients
        .filter((client) => isOwedClosing(client, deletion, watch, letters))
        .map(({ name }) => `${name} wasn't told that ${deletion.topic} was deleted at ${deletion.startedAt}`),
    );
}

function isOwedClosing(
  client: Client,
  { topic, ...deletion }: Deletion,
  watch: Watch,
  letters: readonly Job[],
): boolean {
  const { startedAt, endedAt } = deletion;
  const id = client.socket?.id;
  const session = client.subscriptions().find((one) => one.topic === topic)?.session;
  const wasSubscribed = session?.subscribes.some((one) => one.connection === id && one.ackedAt < startedAt);
  if (id === undefined || session?.isOver || !wasSubscribed) return false;
  const turns = watch.turns(id, topic);
  const later = turns.filter(({ at }) => at >= startedAt);
  // An earlier deletion had ended it already.
  if (turns.findLast(({ at }) => at < startedAt)?.kind !== "subscribed") return false;
  if (later.some(({ kind, at }) => kind === "closed" || at <= endedAt)) return false;
  const isMeant = (job: Job) =>
    job.kind === "closing" && job.topic === topic && job.time >= startedAt && job.time <= endedAt && isFor(job, id);
  // Who found out and came back before a worker met it is no longer meant.
  return !letters.some(isMeant) && !(later.length > 0 && watch.closings.some(isMeant));
}

function isOwed(publication: Publication, place: Place, membership: Membership, watch: Watch): boolean {
  const { acknowledged, connections, echo, startedAt, topic } = publication;
  const isOwn = !echo && connections.has(membership.connection);
  if (topic !== membership.topic || isOwn || membership.until <= (acknowledged?.at ?? 0) + POSTING_MS) return false;
  return membership.from <= startedAt || comesLive(publication, place, membership, watch);
}

/**
 * After the place in the ack, messages come live. Only one that was written before the subscribe was registered, and that an empty number before it
 * kept from being settled, may have gone out already.
 */
function comesLive(
  { topic, count }: Publication,
  { epoch, seq }: Place,
  membership: Membership,
  watch: Watch,
): boolean {
  const { place, connection, from } = membership;
  if (place.epoch !== epoch || seq <= place.seq) return false;
  const registered = watch.turns(connection, topic).findLast(({ kind, at }) => kind === "subscribed" && at <= from);
  const registeredAt = registered?.at ?? 0;
  const before = watch.kept(topic).filter((one) => one.epoch === epoch && one.keptAt < registeredAt);
  const settled = before.filter((one) => one.seq > place.seq && one.seq <= seq - count);
  return settled.length === seq - count - place.seq;
}
