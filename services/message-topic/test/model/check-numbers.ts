import type { Place } from "@topicast/protocol";
import { type Journal, type Payload, type Publication, payloadOf } from "./journal.ts";

/** A message as a client saw it: in an ack, or in what came. */
export interface Sighting extends Payload {
  readonly topic: string;
  readonly epoch: string;
  readonly seq: number;
}

/** Each message has one number, each number one message, for all who saw it; a batch has numbers in a row. */
export function checkNumbers(journal: Journal): string[] {
  const faults: string[] = [];
  const numbers = new Map<string, Sighting>();
  const messages = new Map<string, Sighting>();
  for (const sighting of sightings(journal)) {
    const { topic, epoch, seq, publication, index } = sighting;
    const before = numbers.get(`${topic} ${epoch} ${seq}`);
    if (before === undefined) numbers.set(`${topic} ${epoch} ${seq}`, sighting);
    else if (before.publication !== publication || before.index !== index) {
      faults.push(`${topic} ${epoch}:${seq} is both ${before.publication}.${before.index} and ${publication}.${index}`);
    }
    // A batch is known by its first message, so that its numbers are checked with it.
    const same = messages.get(`${publication}`);
    if (same === undefined) messages.set(`${publication}`, { ...sighting, seq: seq - index });
    else if (same.epoch !== epoch || same.seq !== seq - index) {
      faults.push(`publication ${publication} is at ${same.epoch}:${same.seq} and at ${epoch}:${seq - index}`);
    }
  }
  return [...faults, ...checkForeign(journal), ...checkEpochs(journal)];
}

function* sightings({ publications, sessions }: Journal): Generator<Sighting> {
  for (const { id, topic, count, acknowledged } of publications) {
    const place = acknowledged?.place;
    if (place === undefined) continue;
    for (let index = 0; index < count; index++) {
      yield { topic, epoch: place.epoch, seq: place.seq - count + 1 + index, publication: id, index };
    }
  }
  for (const { topic, steps } of sessions) {
    for (const { messages, place } of steps) {
      for (const message of messages) {
        const { seq } = message;
        if (seq !== undefined) yield { topic, epoch: (place as Place).epoch, seq, ...payloadOf(message) };
      }
    }
  }
}

/** Nothing arrives that nobody published there. */
function checkForeign({ publications, sessions }: Journal): string[] {
  const known = new Map<number, Publication>(publications.map((publication) => [publication.id, publication]));
  return sessions.flatMap(({ client, topic, steps }) =>
    steps
      .flatMap(({ messages }) => messages)
      .filter((message) => {
        const { publication, index } = payloadOf(message);
        const origin = known.get(publication);
        return origin?.topic !== topic || index >= origin.count || origin.ephemeral !== (message.seq === undefined);
      })
      .map((message) => `${client} got from ${topic} what nobody published there: ${JSON.stringify(message)}`),
  );
}

/** An epoch that a topic had before it was deleted is never said again for what was published after. */
function checkEpochs({ publications, deletions }: Journal): string[] {
  const faults: string[] = [];
  for (const { topic, startedAt, endedAt } of deletions.filter(({ isDone }) => isDone)) {
    const numbered = publications.filter((one) => one.topic === topic && one.acknowledged?.place !== undefined);
    const before = new Set<string>();
    for (const { acknowledged } of numbered) {
      if (acknowledged !== undefined && acknowledged.at < startedAt) before.add(acknowledged.place?.epoch ?? "");
    }
    for (const { id, startedAt: publishedAt, acknowledged } of numbered) {
      const epoch = acknowledged?.place?.epoch ?? "";
      if (publishedAt > endedAt && before.has(epoch))
        faults.push(`publication ${id} is in ${epoch}, which was deleted`);
    }
  }
  return faults;
}
