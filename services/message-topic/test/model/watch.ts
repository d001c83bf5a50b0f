import type { Appended, ConnectionId, Job, TickPage } from "@topicast/core";
import type { ClosingFrame, MessagesFrame, Place } from "@topicast/protocol";
import type { Invocation } from "./lambda.ts";
import { createLineages, type Lineages } from "./lineages.ts";
import { createTickWatch, type TickWatch } from "./tick-watch.ts";

export type ClosingJob = Extract<Job, { kind: "closing" }>;

/** A message as a history has it. */
export interface Kept {
  readonly epoch: string;
  readonly seq: number;
  /** Unix ms. */
  readonly time: number;
  /** Unix ms at which it was written. */
  readonly keptAt: number;
}

/** What a connection and the service said to one another of a topic; `at` is Unix ms. */
export interface Turn {
  readonly at: number;
  /** The store heard of a subscribe, or a post of `closing` was answered 200. */
  readonly kind: "subscribed" | "closed";
}

/** Sees what passes between the handlers and what is behind them: what no client can see, yet a rule speaks of. */
export interface Watch {
  readonly lineages: Lineages;
  readonly ticks: TickWatch;
  /** Jobs are sent; they are marked with the publish that they go back to. */
  sends(invocation: Invocation, jobs: readonly Job[]): readonly Job[];
  readonly jobsSent: number;
  /** All that were sent to close a subscription. */
  readonly closings: readonly ClosingJob[];
  posted(invocation: Invocation, id: ConnectionId, frame: string, isDelivered: boolean): void;
  /** A call of a store had its effect. */
  done(invocation: Invocation, port: string, method: string, args: readonly unknown[], answer: unknown): void;
  /** Whether a post of the message was answered 200. */
  wasDelivered(id: ConnectionId, topic: string, place: Place): boolean;
  /** The oldest first. */
  turns(id: ConnectionId, topic: string): readonly Turn[];
  kept(topic: string): readonly Kept[];
}

export function createWatch(now: () => number): Watch {
  const delivered = new Set<string>();
  const kept = new Map<string, Kept[]>();
  const turns = new Map<string, Turn[]>();
  const closings: ClosingJob[] = [];
  const lineages = createLineages(now);
  const ticks = createTickWatch(now);
  let jobsSent = 0;

  const turnsOf = (id: ConnectionId, topic: string) => turns.get(`${id} ${topic}`) ?? [];
  function turned(id: ConnectionId, topic: string, kind: Turn["kind"]): void {
    turns.set(`${id} ${topic}`, [...turnsOf(id, topic), { at: now(), kind }]);
  }

  return {
    lineages,
    ticks,
    get jobsSent() {
      return jobsSent;
    },
    closings,
    sends(invocation, jobs) {
      jobsSent += jobs.length;
      closings.push(...jobs.filter((job) => job.kind === "closing"));
      return lineages.stamp(invocation, jobs);
    },
    posted(invocation, id, text, isDelivered) {
      const frame = JSON.parse(text) as MessagesFrame | ClosingFrame;
      if (frame.type === "messages") ticks.posted(invocation, id, frame);
      if (!isDelivered) return;
      if (frame.type === "closing") return turned(id, frame.topic ?? "", "closed");
      if (frame.epoch === undefined) return;
      for (const { seq } of frame.messages) delivered.add(`${id} ${frame.topic} ${frame.epoch} ${seq}`);
      const subscribed = turnsOf(id, frame.topic).findLast(({ kind }) => kind === "subscribed");
      lineages.posted(invocation, id, frame, subscribed?.at ?? 0);
    },
    done(invocation, port, method, args, answer) {
      if (method === "claimTick" && answer === true) ticks.claimed(invocation, args[1] as string, args[2] as TickPage);
      if (method === "subscribe") {
        const { topic, connection } = args[0] as { topic: string; connection: { id: ConnectionId } };
        turned(connection.id, topic, "subscribed");
      }
      if (port === "log" && method === "append") keep(kept, args[1] as string, answer as Appended, now());
    },
    wasDelivered: (id, topic, { epoch, seq }) => delivered.has(`${id} ${topic} ${epoch} ${seq}`),
    turns: turnsOf,
    kept: (topic) => kept.get(topic) ?? [],
  };
}

/** A repeat of a key gives the same messages once more. */
function keep(kept: Map<string, Kept[]>, topic: string, { place, messages }: Appended, keptAt: number): void {
  const list = kept.get(topic) ?? [];
  kept.set(topic, list);
  for (const { seq, time } of messages) {
    const isKnown = list.some((one) => one.epoch === place.epoch && one.seq === seq);
    if (!isKnown) list.push({ epoch: place.epoch, seq, time, keptAt });
  }
}
