import type { Message, Place, ReceivedPage } from "../src/index.ts";

/** A number that was taken and not written yet, one that never will be, or what was written. */
type Entry = "empty" | "void" | Message;

/** Numbers of one publish. */
export interface Taken {
  readonly epoch: string;
  readonly from: number;
  readonly count: number;
}

export interface MessagesOfTopic {
  readonly epoch: string;
  readonly messages: readonly Message[];
}

/** A topic as the service keeps it, in the plainest way: what the receiver is judged by. */
export function createTopicModel() {
  const epochs: Entry[][] = [[]];
  let trimmed = 0;
  const nameOf = (index: number) => `epoch${index}`;
  const current = () => epochs.at(-1) as Entry[];
  const epoch = () => nameOf(epochs.length - 1);
  const entriesOf = (name: string) => epochs.find((_, index) => nameOf(index) === name) ?? [];

  const settled = (): Place => {
    const empty = current().indexOf("empty");
    return { epoch: epoch(), seq: empty === -1 ? current().length : empty };
  };
  const written = (after: number, upTo: number) =>
    current()
      .slice(after, upTo)
      .filter((entry): entry is Message => typeof entry === "object");

  return {
    settled,
    newest: (): Place => ({ epoch: epoch(), seq: current().length }),
    take(count: number): Taken {
      const from = current().length + 1;
      current().push(...Array<Entry>(count).fill("empty"));
      return { epoch: epoch(), from, count };
    },
    /** Undefined where the topic began another epoch since: its late publisher takes new numbers. */
    write({ epoch: name, from, count }: Taken): MessagesOfTopic | undefined {
      if (name !== epoch()) return undefined;
      const messages = Array.from({ length: count }, (_, i): Message => ({ seq: from + i, payload: name, time: 0 }));
      current().splice(from - 1, count, ...messages);
      return { epoch: name, messages };
    },
    leaveVoid({ epoch: name, from, count }: Taken) {
      if (name === epoch()) current().splice(from - 1, count, ...Array<Entry>(count).fill("void"));
    },
    restart() {
      epochs.push([]);
      trimmed = 0;
    },
    /** Keeps only so many of the newest settled numbers. */
    trim(keep: number) {
      trimmed = Math.max(trimmed, settled().seq - keep);
    },
    since(since: Place, limit: number): ReceivedPage {
      const place = settled();
      const isGone = since.seq < trimmed && written(since.seq, trimmed).length > 0;
      if (since.epoch !== place.epoch || since.seq > place.seq || isGone) return { ...place, recovered: false };
      const all = written(since.seq, place.seq);
      return { ...place, recovered: true, messages: all.slice(0, limit), more: all.length > limit };
    },
    last(count: number): ReceivedPage {
      const place = settled();
      const messages = written(trimmed, place.seq).slice(-count);
      return { ...place, recovered: true, messages, more: false };
    },
    at: ({ epoch: name, seq }: Place): Entry | undefined => entriesOf(name)[seq - 1],
    /** The numbers of an epoch after one and up to another that are not void. */
    heldBetween: (name: string, after: number, upTo: number) =>
      entriesOf(name)
        .slice(after, upTo)
        .flatMap((entry, i) => (entry === "void" ? [] : [after + i + 1])),
    /** Which epoch it is by age, -1 for none of this topic. */
    ageOf: (name: string) => epochs.findIndex((_, index) => nameOf(index) === name),
  };
}
export type TopicModel = ReturnType<typeof createTopicModel>;
