import type { Message, Place } from "@topicast/protocol";
import type { Api } from "./api.ts";
import type { Client } from "./client.ts";
import { endMemberships, type Journal, type Publication } from "./journal.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

const REPLY_MS = 20_000;
const MAX_ATTEMPTS = 8;
/** A key is known for five minutes; who comes later publishes anew. */
const MAX_RETRYING_MS = 4 * 60_000;

export interface PublishOptions {
  readonly topic: string;
  readonly count: number;
  readonly keyed: boolean;
  readonly ephemeral: boolean;
  readonly latest?: string;
  readonly echo: boolean;
  /** Over its connection; over HTTP where absent. */
  readonly client?: Client | undefined;
}

export interface PublisherOptions {
  readonly api: Api;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly journal: Journal;
}

export interface Publisher {
  publish(options: PublishOptions): Publication;
  remove(topic: string): void;
  /** Requests that are not done with. */
  readonly busy: number;
}

type Outcome = { readonly place: Place | undefined } | "again" | "waiting";

/** Publishes as an application does: with a key again and again until it is acknowledged or time runs out, without one once. */
export function createPublisher({ api, time, random, journal }: PublisherOptions): Publisher {
  let busy = 0;
  const keys = new Map<string, number>();

  async function publish(publication: Publication, client: Client | undefined): Promise<void> {
    const { startedAt } = publication;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS && time.now() - startedAt < MAX_RETRYING_MS; ) {
      const outcome = await (client === undefined ? overHttp(publication) : overWebSocket(publication, client));
      if (typeof outcome === "object") return acknowledge(publication, outcome.place, client);
      if (outcome === "again") attempt += 1;
      if (outcome === "again" && publication.key === undefined) return;
      await time.sleep(random.between(300, 2_000));
    }
  }

  function fieldsOf({ id, count, key, ephemeral, latest }: Publication) {
    const payloads = Array.from({ length: count }, (_, index) => ({ publication: id, index }));
    return {
      ...(count === 1 ? { payload: payloads[0] } : { payloads }),
      ...(key && { key }),
      ...(ephemeral && { ephemeral }),
      ...(latest && { latest }),
    };
  }

  function overHttp(publication: Publication): Promise<Outcome> {
    const answering = api.http("POST", `${publication.topic}/messages`, { body: fieldsOf(publication) });
    const outcome = answering.then((answer): Outcome => {
      if (answer === undefined || answer.status >= 500) return "again";
      return answer.status === 202 ? { place: placeOf(answer.body) } : refused(publication, answer.body.code);
    });
    return Promise.race([outcome, time.sleep(patienceMs()).then((): Outcome => "again")]);
  }

  /** Who waits for less than the service may take publishes again while the first try is still under way. */
  function patienceMs(): number {
    return random.chance(30) ? random.between(50, 5_000) : REPLY_MS;
  }

  async function overWebSocket(publication: Publication, client: Client): Promise<Outcome> {
    if (client.socket === undefined) return "waiting";
    publication.connections.add(client.socket.id);
    const { topic, echo } = publication;
    const fields = { action: "publish", topic, ...fieldsOf(publication), ...(!echo && { echo }) };
    const reply = await client.request(fields, patienceMs());
    if (reply === undefined) return "again";
    if (reply.type === "ack") return { place: placeOf(reply) };
    if (reply.type === "error" && ["unavailable", "internal", "not_found"].includes(reply.code)) return "again";
    return refused(publication, reply.type === "error" ? reply.code : reply.type);
  }

  function refused({ id }: Publication, code: unknown): "again" {
    journal.violations.push(`publication ${id} was refused: ${String(code)}`);
    return "again";
  }

  function acknowledge(publication: Publication, place: Place | undefined, client: Client | undefined): void {
    publication.acknowledged = { at: time.now(), place };
    if (place === undefined || publication.echo || client === undefined) return;
    const { id, count, topic } = publication;
    const messages = Array.from({ length: count }, (_, index): Message => {
      return { seq: place.seq - count + 1 + index, payload: { publication: id, index }, time: 0 };
    });
    client.sent(topic, place.epoch, messages);
  }

  async function remove(topic: string): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const deletion = { topic, startedAt: time.now(), endedAt: Infinity, isDone: false };
      journal.deletions.push(deletion);
      endMemberships(journal, time.now(), (membership) => membership.topic === topic);
      const answer = await api.http("DELETE", topic);
      deletion.endedAt = time.now();
      deletion.isDone = answer?.status === 204;
      if (deletion.isDone) return;
      await time.sleep(random.between(300, 2_000));
    }
  }

  /** Other topics and senders use the same keys. */
  function nextKey(topic: string, client: Client | undefined): string {
    const owner = `${topic} ${client?.name}`;
    const count = (keys.get(owner) ?? 0) + 1;
    keys.set(owner, count);
    return `key-${count}`;
  }

  function track(work: Promise<void>): void {
    busy += 1;
    void work.finally(() => {
      busy -= 1;
    });
  }

  return {
    publish({ client, keyed, ...options }) {
      const id = journal.publications.length + 1;
      const key = keyed ? { key: nextKey(options.topic, client) } : {};
      const publication: Publication = { id, ...options, ...key, startedAt: time.now(), connections: new Set() };
      journal.publications.push(publication);
      track(publish(publication, client));
      return publication;
    },
    remove: (topic) => track(remove(topic)),
    get busy() {
      return busy;
    },
  };
}

function placeOf({ epoch, seq }: { epoch?: unknown; seq?: unknown }): Place | undefined {
  return epoch === undefined ? undefined : { epoch: String(epoch), seq: Number(seq) };
}
