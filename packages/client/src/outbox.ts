import { isPassing, TopicastError } from "./errors.ts";
import { type Link, UNANSWERED } from "./link.ts";
import type { Session } from "./session.ts";
import { createSecret, type Settings } from "./settings.ts";
import type { Place, PublishOptions } from "./types.ts";

declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** A publish that isn't answered yet. */
export interface Item {
  /** The payload, as JSON. */
  readonly text: string;
  readonly bytes: number;
  /** The request but for payloads and key, as JSON; those of one batch have the same. */
  readonly head: string;
  readonly options: PublishOptions;
  /** It has no place, and nobody waits for it. */
  readonly isBrief: unknown;
  resolve(place: Place | undefined): void;
  reject(error: TopicastError): void;
}

/**
 * Publishes to one topic, batch by batch, each again and again until it is acknowledged, or refused for good. A link must be ready: who subscribes
 * is subscribed there first, and so gets its own messages. `items` are all of the connection that aren't answered. Calls `receive` when messages have got their numbers, with those that don't come here.
 */
export function createOutbox(
  topic: string,
  session: Session,
  settings: Settings,
  items: Set<Item>,
  isReady: (link: Link) => boolean,
  receive: (frame: { readonly epoch: string; readonly messages: readonly { readonly seq: number }[] }) => void,
): (payload: unknown, options?: PublishOptions) => Promise<Place | undefined> {
  const MAX_BATCH = 100;
  /** Bytes of the payloads of one frame, which has 32 KiB, with the longest of names around them. */
  const MAX_BATCH_BYTES = 31_000;
  /** The service knows a key for five minutes; later another try might double what was published. */
  const MAX_TRYING_MS = 270_000;
  const { flushMs, queueMax, now } = settings;
  const secret = createSecret();
  let batches = 0;
  const queue: Item[] = [];
  let isDraining = false;
  /** Done when the oldest in the queue has waited for others long enough. */
  let ripe: unknown;

  /** Resolves when every item of the batch has its answer. */
  async function deliver(batch: readonly Item[]): Promise<void> {
    const { head, options } = batch[0] as Item;
    const json = `${head.slice(0, -1)},"key":"${secret}${++batches}","payloads":[${batch.map(({ text }) => text)}]}`;
    let firstAt = 0;
    for (let tries = 0; ; tries++) {
      const link = await session.ready(isReady);
      firstAt ||= now();
      // Also where there was no link for so long.
      const isLate = now() - firstAt > MAX_TRYING_MS;
      const answer = isLate ? UNANSWERED : await session.request(link, json);
      const { code, epoch, seq } = answer;
      const isRefused = code && !isPassing(code);
      if (isRefused && batch[1]) {
        // One of them may be why all were refused.
        for (const item of batch) await deliver([item]);
        return;
      }
      if (epoch) {
        receive({ epoch, messages: options.echo === false ? batch.map((_, at) => ({ seq: seq - at })) : [] });
      }
      if (!code || isRefused || isLate) {
        return batch.forEach((item, at) => {
          items.delete(item);
          if (code) item.reject(new TopicastError(code, answer.message));
          else item.resolve(epoch && { epoch, seq: seq - batch.length + 1 + at });
        });
      }
      await session.pause(tries, answer);
    }
  }

  /** From the front of the queue what fits into one frame. */
  function takeBatch(): Item[] {
    let rest = MAX_BATCH_BYTES;
    let count = 0;
    for (const { bytes, head } of queue) {
      rest -= bytes + 1;
      if (count === MAX_BATCH || rest < 0 || head !== (queue[0] as Item).head) break;
      count += 1;
    }
    return queue.splice(0, count);
  }

  /** Sends batches, the next when the last is answered; nobody waits for what is ephemeral. */
  async function drain(): Promise<void> {
    isDraining = true;
    while (queue[0]) {
      await ripe;
      // What is published in one go, or waits for a link, may travel together.
      await session.ready(isReady);
      const batch = takeBatch();
      const delivered = deliver(batch);
      if (!batch[0]?.isBrief) await delivered;
    }
    isDraining = false;
  }

  return async (payload, options = {}) => {
    if (session.state === "closed") throw new TopicastError("closed");
    const isBrief = options.ephemeral || options.latest;
    // What only counts now is of no use later, and takes no place from what does wait.
    if (isBrief && session.state === "disconnected") return;
    if (items.size >= queueMax) throw new TopicastError("queue_full", `${queueMax} publishes wait`);
    const text = JSON.stringify(payload) ?? "null";
    const bytes = new TextEncoder().encode(text).length;
    if (bytes >= MAX_BATCH_BYTES) throw new TopicastError("payload_too_large", `${bytes} bytes`);
    return new Promise((resolve, reject) => {
      const head = JSON.stringify({ action: "publish", topic, ...options });
      const item = { isBrief, text, bytes, head, options, resolve, reject };
      items.add(item);
      if (!queue[0]) ripe = flushMs && new Promise((resolve) => void session.after(flushMs, resolve as () => void));
      queue.push(item);
      if (!isDraining) void drain();
    });
  };
}
