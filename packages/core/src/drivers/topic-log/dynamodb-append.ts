import { UnavailableError } from "../../errors.ts";
import { type Appended, type Batch, type IdempotencyKey, MAX_TAKES, VOID_AFTER_MS } from "../../ports/topic-log.ts";
import type { TopicHash } from "../topic-hash.ts";
import { messagesOf } from "./content.ts";
import type { Taken, TopicHeads } from "./dynamodb-head.ts";
import type { KeyRow, KeyRows } from "./dynamodb-key-rows.ts";
import type { LogRow, LogRows } from "./dynamodb-rows.ts";
import { LAST_WRITE_MS } from "./dynamodb-times.ts";

export interface AppendOptions {
  readonly heads: TopicHeads;
  readonly rows: LogRows;
  readonly keyRows: KeyRows;
  /** Unix ms. */
  readonly now: () => number;
}

/** Of topics that are named by their hash. */
export interface Append {
  append(topic: TopicHash, batch: Batch): Promise<Appended>;
  findKeyed(topic: TopicHash, key: IdempotencyKey): Promise<Appended | undefined>;
}

export function createAppend({ heads, rows, keyRows, now }: AppendOptions): Append {
  /** `refused` where the numbers are void, or may be soon; `late` where it is written, but readers may have gone past it. */
  async function write(topic: TopicHash, taken: Taken, batch: Batch): Promise<"written" | "refused" | "late"> {
    const isOverdue = now() - taken.after >= VOID_AFTER_MS;
    if (isOverdue || !(await rows.write(topic, taken, batch))) return "refused";
    // Late is who stood still meanwhile: calls are bounded in time.
    return now() - taken.after > LAST_WRITE_MS ? "late" : "written";
  }

  async function appendOnce(topic: TopicHash, batch: Batch): Promise<Appended> {
    for (let attempt = 0; attempt < MAX_TAKES; attempt++) {
      const taken = await heads.take(topic, batch.payloads.length, batch.tick);
      const outcome = await write(topic, taken, batch);
      if (outcome === "written") return appended(taken, batch);
      if (outcome === "late")
        throw new UnavailableError("store", "A message was written too late to be found by all. Publish it again.");
    }
    throw tooManyTakes();
  }

  /**
   * A key stands for the numbers of one batch at a time, and comes to stand for others only when those are void. So at most one batch is
   * written for it, whoever dies where, and who finds one written has the answer.
   */
  async function appendKeyed(topic: TopicHash, batch: Batch, key: IdempotencyKey): Promise<Appended> {
    // Stale is enough to find nearly every repeat: one that is missed meets the key's row when it writes its own.
    let known = await keyRows.read(topic, key, "stale");
    for (let attempt = 0; attempt < MAX_TAKES; attempt++) {
      const written = known && (await writtenOrVoid(topic, known));
      if (written !== undefined) return repeated(topic, written);
      const taken = await heads.take(topic, batch.payloads.length, batch.tick);
      if (!(await keyRows.write(topic, key, taken, known))) {
        // Another one has the key, so that nobody writes here.
        await rows.makeVoid({ topic, ...taken }, taken.by);
      } else {
        const outcome = await write(topic, taken, batch);
        if (outcome === "written") return appended(taken, batch);
        // A repeat must not find what readers may have gone past. Who reads it in this moment has it twice; the other way it would be lost.
        if (outcome === "late") await rows.withdraw({ topic, ...taken }, taken.by);
      }
      known = await keyRows.read(topic, key, "fresh");
    }
    throw tooManyTakes();
  }

  /** What is written under a key's numbers; where nothing is, they are void after, so that who is only late can't write there. */
  async function writtenOrVoid(topic: TopicHash, known: KeyRow): Promise<LogRow | undefined> {
    const { epoch, first } = known;
    let row = await rows.read(topic, epoch, first);
    if (row === undefined) {
      if (await rows.makeVoid({ topic, ...known }, known.by)) return undefined;
      row = await rows.read(topic, epoch, first);
    }
    return row?.isVoid ? undefined : row;
  }

  async function repeated(topic: TopicHash, { epoch, last, messages }: LogRow): Promise<Appended> {
    const head = await heads.look(topic);
    return { place: { epoch, seq: last }, messages: head?.epoch === epoch ? messages : [] };
  }

  return {
    append: (topic, batch) =>
      batch.key === undefined ? appendOnce(topic, batch) : appendKeyed(topic, batch, batch.key),

    async findKeyed(topic, key) {
      const known = await keyRows.read(topic, key, "fresh");
      const written = known && (await writtenOrVoid(topic, known));
      return written && { place: { epoch: written.epoch, seq: written.last }, messages: written.messages };
    },
  };
}

function appended(taken: Taken, batch: Batch): Appended {
  const { epoch, first, last, ticking } = taken;
  const messages = messagesOf(first, { ...batch, key: batch.key?.value });
  return { place: { epoch, seq: last }, messages, ...(ticking !== undefined && { ticking }) };
}

function tooManyTakes(): UnavailableError {
  return new UnavailableError("store", `A message found no number in ${MAX_TAKES} tries. Publish it again.`);
}
