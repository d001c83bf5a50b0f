import type { Topic } from "@topicast/protocol";
import type { HeldWrite } from "@topicast/testing";
import { LAST_WRITE_MS } from "../src/drivers/topic-log/dynamodb-times.ts";
import { type Appended, DEFAULT_APP, type LoggedMessage } from "../src/index.ts";
import { messagesSince, type Party, publish } from "./dynamodb-party.ts";

/** A publish that was acknowledged. */
export interface Acknowledged extends Appended {
  readonly key: string | undefined;
}

/** What a reader found of one epoch, from its beginning. */
export interface Reading {
  readonly epoch: string;
  /** Settled up to here. */
  readonly seq: number;
  readonly messages: readonly LoggedMessage[];
}

interface Held extends HeldWrite {
  readonly by: Party;
  readonly since: number;
  readonly done: Promise<void>;
}

/** One publish: its messages' payloads begin with a number that no other publish has. */
export interface Publishing {
  readonly by: Party;
  readonly count: number;
  readonly key: string | undefined;
}

/** A topic with some processes, what was acknowledged in it, and what readers saw. */
export function createRun(topic: Topic, parties: readonly Party[]) {
  const acknowledged: Acknowledged[] = [];
  const readings: Reading[] = [];
  const held: Held[] = [];
  let publishes = 0;

  async function publishOne({ by, count, key }: Publishing): Promise<void> {
    const publishNumber = ++publishes;
    const payloads = Array.from({ length: count }, (_, part) => `${publishNumber}.${part}`);
    try {
      const appended = await publish(by, { payloads, to: topic, ...(key !== undefined && { key }) });
      acknowledged.push({ ...appended, key });
    } catch {
      // Not acknowledged: it may be there or not.
    }
  }

  /** In pages of two, so that they begin and end inside batches. */
  async function read(by: Party): Promise<void> {
    const { epoch, seq } = await by.log.place(DEFAULT_APP, topic);
    readings.push({ epoch, seq, messages: await messagesSince(by, { epoch, seq: 0 }, 2, topic) });
  }

  async function settle(which: number, how: "release" | "fail", reader?: Party): Promise<void> {
    const [one] = held.splice(which % Math.max(1, held.length), 1);
    if (one === undefined) return;
    one[how]();
    // What stood still for so long is withdrawn where it has a key: a reader might see it in between.
    const isLate = one.by.clock.now() - one.since > LAST_WRITE_MS;
    if (isLate) await one.done;
    await Promise.all([one.done, reader && read(reader)]);
  }

  return {
    acknowledged,
    readings,
    read,
    settle,
    publish: publishOne,

    /** Begins a publish that stands still before it writes or takes its key, where it comes to that. */
    async publishHeld(publishing: Publishing, before: "key" | "write"): Promise<void> {
      const { by } = publishing;
      const write = before === "key" ? by.holdNextKey() : by.holdNextWrite();
      const done = publishOne(publishing);
      await Promise.race([write.held, done.then(write.release)]);
      held.push({ ...write, by, since: by.clock.now(), done });
    },

    async wait(ms: number): Promise<void> {
      for (const { clock } of parties) await clock.advance(ms);
    },

    /** Begins a new epoch, with a message, so that a reading from its beginning is always possible. */
    async begin(by: Party): Promise<void> {
      await by.log.restart(DEFAULT_APP, topic);
      await publishOne({ by, count: 1, key: undefined });
    },

    async end(): Promise<void> {
      while (held.length > 0) await settle(0, "release");
      await this.wait(11_000);
      await read(parties[0] as Party);
    },
  };
}
