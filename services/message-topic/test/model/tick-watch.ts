import type { ConnectionId, Job, TickMessage, TickPage } from "@topicast/core";
import type { Message, MessagesFrame } from "@topicast/protocol";
import { payloadOf } from "./journal.ts";
import type { Invocation } from "./lambda.ts";
import { LATENCY_MS } from "./ports.ts";
import { TICK_MS } from "./topics.ts";

interface Claim {
  readonly at: number;
  readonly epoch: string;
}

/** What workers took in ticks, and what they posted of it. */
export interface TickWatch {
  claimed(invocation: Invocation, topic: string, page: TickPage): void;
  posted(invocation: Invocation, id: ConnectionId, frame: MessagesFrame): void;
  /** What broke a rule of ticks, a line each. */
  readonly faults: readonly string[];
}

export function createTickWatch(now: () => number): TickWatch {
  const claims = new Map<string, Claim[]>();
  /** Ticks that an invocation took of a topic, or may take again, and what was gathered in them. */
  const taken = new Map<string, { ticks: number; readonly gathered: TickMessage[] }>();
  const posts = new Map<string, number>();
  const faults: string[] = [];

  function takenBy(invocation: Invocation, topic: string) {
    const key = `${invocation.id} ${topic}`;
    const again = jobsOf(invocation).filter((job) => isAgain(job, topic)).length;
    const found = taken.get(key) ?? { ticks: again, gathered: [] };
    taken.set(key, found);
    return found;
  }

  /** A tick is as long as it should be: no three are taken within the time of one, but for the latency of the call that takes the first. */
  function checkPace(topic: string, list: readonly Claim[]): void {
    const [first, , third] = list.slice(-3);
    if (first?.epoch !== third?.epoch || first === undefined || third === undefined) return;
    if (third.at - first.at < TICK_MS - LATENCY_MS)
      faults.push(`${topic} had three ticks from ${first.at} to ${third.at}`);
  }

  return {
    faults,
    claimed(invocation, topic, { upTo, gathered }) {
      const list = claims.get(topic) ?? [];
      claims.set(topic, list);
      list.push({ at: now(), epoch: upTo.epoch });
      checkPace(topic, list);
      const found = takenBy(invocation, topic);
      found.ticks += 1;
      found.gathered.push(...gathered);
    },
    posted(invocation, id, { topic, messages }) {
      const jobs = jobsOf(invocation);
      // A fan-out's own job, or a retry's, is no tick.
      if (!jobs.some((job) => isTick(job, topic)) || jobs.some((job) => job.kind === "messages")) return;
      const { ticks, gathered } = takenBy(invocation, topic);
      const key = `${invocation.id} ${topic} ${id}`;
      const count = (posts.get(key) ?? 0) + 1;
      posts.set(key, count);
      if (count > ticks) faults.push(`${id} was posted ${count} frames of ${ticks} ticks of ${topic} at ${now()}`);
      if (ticks > 1) return;
      for (const older of messages.filter((message) => isOlder(message, messages, gathered)))
        faults.push(`${id} was posted a latest that wasn't: ${JSON.stringify(older)}`);
    },
  };
}

function jobsOf({ event }: Invocation): readonly (Job & { readonly receives: number })[] {
  const { Records = [] } = event as { Records?: readonly { body: string; attributes: Record<string, string> }[] };
  return Records.map(({ body, attributes }) => ({
    ...(JSON.parse(body) as Job),
    receives: Number(attributes.ApproximateReceiveCount),
  }));
}

function isTick(job: Job, topic: string): boolean {
  return job.kind === "tick" && job.topic === topic;
}

function isAgain(job: Job & { readonly receives: number }, topic: string): boolean {
  return job.kind === "tick" && job.topic === topic && (job.receives > 1 || job.mayHaveTaken === true);
}

/** Whether a newer one of its name and sender was gathered with it, or came in the same frame. */
function isOlder(message: Message, messages: readonly Message[], gathered: readonly TickMessage[]): boolean {
  const about = gathered.find((one) => isSame(one.message, message));
  if (about?.latest === undefined) return false;
  const rivals = gathered.filter(({ latest, message: { from } }) => latest === about.latest && from === message.from);
  const posted = rivals.filter((rival) => messages.some((one) => isSame(one, rival.message)));
  // Of those of one millisecond, which a batch is, the last is the newest.
  const newest = rivals.reduce((last, one) => (one.message.time >= last.message.time ? one : last), about);
  return posted.length > 1 || !isSame(newest.message, message);
}

function isSame(one: Pick<Message, "payload">, other: Pick<Message, "payload">): boolean {
  const [first, second] = [payloadOf(one as Message), payloadOf(other as Message)];
  return first.publication === second.publication && first.index === second.index;
}
