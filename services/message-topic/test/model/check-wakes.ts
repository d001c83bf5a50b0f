import type { Job } from "@topicast/core";
import type { Place } from "@topicast/protocol";
import type { Membership, Publication } from "./journal.ts";
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
    if (place === undefined || letters.some((job) => carries(job, topic, place))) return [];
    return journal.memberships
      .filter((membership) => isOwed(publication, place, membership, watch))
      .filter(({ connection }) => !watch.wasDelivered(connection, topic, place))
      .map(({ connection }) => `${connection} never got ${topic} ${place.epoch}:${place.seq} live, publication ${id}`);
  });
}

function carries(job: Job, topic: string, { epoch, seq }: Place): boolean {
  return (
    job.kind === "messages" && job.topic === topic && job.epoch === epoch && job.messages.some((one) => one.seq === seq)
  );
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

/** Who was a subscriber when a topic was deleted was told, and so has subscribed again. */
function checkClosings({ journal, clients }: World, letters: readonly Job[]): string[] {
  const subscriptions = clients.flatMap((client) => client.subscriptions());
  return journal.deletions
    .filter(({ isDone, topic }) => isDone && !letters.some((job) => job.kind === "closing" && job.topic === topic))
    .flatMap(({ topic, startedAt }) =>
      subscriptions
        .filter((one) => one.topic === topic && one.session.subscribes.every(({ ackedAt }) => ackedAt < startedAt))
        .map(({ session }) => `${session.client} wasn't told that ${topic} was deleted at ${startedAt}`),
    );
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
  const { place, connection } = membership;
  if (place.epoch !== epoch || seq <= place.seq) return false;
  const registeredAt = watch.registeredAt(connection, topic);
  const before = watch.kept(topic).filter((one) => one.epoch === epoch && one.keptAt < registeredAt);
  const settled = before.filter((one) => one.seq > place.seq && one.seq <= seq - count);
  return settled.length === seq - count - place.seq;
}
