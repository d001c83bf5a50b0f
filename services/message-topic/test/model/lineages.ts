import type { ConnectionId, Job } from "@topicast/core";
import type { MessagesFrame } from "@topicast/protocol";
import type { Invocation } from "./lambda.ts";
import { TICKED } from "./topics.ts";

/** A job, marked with the publish that it goes back to. */
type StampedJob = Job & { readonly lineage: string };

/**
 * Posts by the publish that they go back to, through all the jobs that came of it. A connection that answered 200 to a publish's message gets it
 * from that publish no more: a retry is for those who missed it. Only where something was done twice on the way, copies are nobody's fault.
 */
export interface Lineages {
  stamp(invocation: Invocation, jobs: readonly Job[]): readonly StampedJob[];
  /** What an invocation did counts as failed, and will be done again. */
  taint(invocation: Invocation): void;
  /** A job is delivered again. */
  taintJob(body: string): void;
  /** A connection answered 200; `registeredAt` is when it last subscribed, in Unix ms. */
  posted(invocation: Invocation, id: ConnectionId, frame: MessagesFrame, registeredAt: number): void;
  /** What was posted to a connection that had it, a line each. */
  readonly repeated: readonly string[];
}

export function createLineages(now: () => number): Lineages {
  /** Unix ms at which a publish first sent or posted something. */
  const began = new Map<string, number>();
  const tainted = new Set<string>();
  /** Publish, connection and message. */
  const delivered = new Set<string>();
  const repeated: string[] = [];

  function beginningOf(lineage: string): number {
    if (!began.has(lineage)) began.set(lineage, now());
    return began.get(lineage) ?? 0;
  }

  return {
    repeated,
    stamp(invocation, jobs) {
      const lineage = originOf(invocation);
      beginningOf(lineage);
      // Of two ticks in one batch, nobody can say which sent what: one may be the other's repeat.
      if (ticksOf(jobsOf(invocation) ?? []).length > 1) tainted.add(lineage);
      return jobs.map((job) => ({ lineage, ...job }));
    },
    taint(invocation) {
      tainted.add(originOf(invocation));
      for (const { lineage } of jobsOf(invocation) ?? []) tainted.add(lineage);
    },
    taintJob(body) {
      tainted.add((JSON.parse(body) as StampedJob).lineage);
    },
    posted(invocation, id, frame, registeredAt) {
      const lineage = lineageOf(invocation, frame);
      if (lineage === undefined || tainted.has(lineage)) return;
      const { topic, epoch, messages } = frame;
      const what = `${topic} ${epoch}:${messages[0]?.seq}`;
      // Who subscribed again meanwhile may be met once more on a later page.
      const isNew = registeredAt >= beginningOf(lineage);
      const key = `${lineage} ${id} ${what}`;
      if (delivered.has(key) && !isNew) repeated.push(`${id} had got ${what}, and was posted it again at ${now()}`);
      delivered.add(key);
    },
  };
}

function jobsOf({ event }: Invocation): readonly StampedJob[] | undefined {
  const { Records } = event as { Records?: readonly { body: string }[] };
  return Records?.map(({ body }) => JSON.parse(body) as StampedJob);
}

/** All of them are of the one topic that has ticks. */
function ticksOf(jobs: readonly StampedJob[]): readonly StampedJob[] {
  return jobs.filter(({ kind }) => kind === "tick");
}

/** A publish is the origin of its own jobs; those that a worker sends carry theirs along, being made of those that it got. */
function originOf({ id }: Invocation): string {
  return `publish ${id}`;
}

/** The publish, or the tick, that a post goes back to; undefined where two jobs of a worker's batch carry the same message. */
function lineageOf(invocation: Invocation, { topic, epoch, messages }: MessagesFrame): string | undefined {
  const jobs = jobsOf(invocation);
  if (jobs === undefined) return originOf(invocation);
  const seq = messages[0]?.seq;
  const lineages = jobs
    .filter((job) => job.kind === "messages" && job.topic === topic && job.epoch === epoch)
    .filter((job) => job.kind === "messages" && job.messages.some((message) => message.seq === seq))
    .map(({ lineage }) => lineage);
  const ticks = ticksOf(jobs);
  // Retries of a tick are marked with who took it.
  if (ticks.length > 0 && topic === TICKED)
    return ticks.length === 1 && lineages.length === 0 ? originOf(invocation) : undefined;
  return lineages.length === 1 ? lineages[0] : undefined;
}
