import { randomBytes } from "node:crypto";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { UnavailableError } from "../../errors.ts";
import { VOID_AFTER_MS } from "../../ports/topic-log.ts";
import { type Item, number, numberOf, optionalNumber, text, textOf, ttl } from "../dynamodb/attributes.ts";
import { type TopicHash, topicKey } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { TOPIC_LIFE_LEFT_MS, TOPIC_LIFE_MS } from "./dynamodb-times.ts";

/** Tries to read or count in a topic that is forgotten at the same moment. */
const MAX_TRIES = 3;

/**
 * A topic's row remembers when numbers were taken: for each of the last four spans of a second the highest number of the span, and the time
 * of its taking. So a reader knows the age of what isn't written, though a single blind update counts. Four spans of half the time after
 * which a number is void: the one that proves this age is not overwritten before the next does.
 */
const TAKING_SPAN_MS = VOID_AFTER_MS / 2;
const TAKING_SPANS = [0, 1, 2, 3];

/** Every number up to `upTo` was taken by `at` (Unix ms). */
export interface Taking {
  readonly upTo: number;
  readonly at: number;
}

export interface TopicHead {
  readonly epoch: string;
  /** The last number taken. */
  readonly last: number;
  /** Unix ms: none of its numbers was taken before. Undefined where none is taken. */
  readonly firstTakenAt: number | undefined;
  /** Every number up to it is written or void. */
  readonly checkpoint: number;
  readonly takings: readonly Taking[];
  /** Unix ms. */
  readonly expiresAt: number;
}

export interface Taken {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  /** Unix ms before and after: the numbers were taken in between. */
  readonly after: number;
  readonly by: number;
}

/** The rows of topics. */
export interface TopicHeads {
  /** Takes the next numbers; begins the topic where there is none. */
  take(topic: TopicHash, count: number): Promise<Taken>;
  /** Always fresh. Begins the topic where there is none. */
  read(topic: TopicHash): Promise<TopicHead>;
  /** Undefined where there is none. Always fresh. */
  look(topic: TopicHash): Promise<TopicHead | undefined>;
  /** In the order of the topics; undefined for one that there isn't. Always fresh. Begins none. */
  newest(topics: readonly TopicHash[]): Promise<readonly (TopicHead | undefined)[]>;
  /** Begins a new epoch at 0, where there is the topic. */
  restart(topic: TopicHash): Promise<void>;
  /** Moves the checkpoint on, and the end of the topic's life. */
  keep(topic: TopicHash, head: TopicHead, checkpoint: number): Promise<void>;
}

export interface TopicHeadsOptions {
  readonly table: Table;
  /** Unix ms. */
  readonly now: () => number;
}

/** The last number that was taken by `time`, as far as is known. */
export function takenBy({ takings }: TopicHead, time: number): number {
  return Math.max(0, ...takings.filter(({ at }) => at <= time).map(({ upTo }) => upTo));
}

export function isNearItsEnd({ expiresAt }: TopicHead, now: number): boolean {
  return expiresAt - now < TOPIC_LIFE_LEFT_MS;
}

export function createTopicHeads({ table, now }: TopicHeadsOptions): TopicHeads {
  function newItem(): Item {
    return { e: text(newEpoch()), n: number(0), x: ttl(now() + TOPIC_LIFE_MS) };
  }

  function validHeadOf(item: Item): TopicHead | undefined {
    const head = headOf(item);
    return head.expiresAt > now() ? head : undefined;
  }

  async function look(topic: TopicHash): Promise<TopicHead | undefined> {
    const item = await table.get(topicKey(topic), "fresh");
    return item && validHeadOf(item);
  }

  /** Undefined where someone else began it. */
  async function begin(topic: TopicHash): Promise<TopicHead | undefined> {
    const item = newItem();
    const isFirst = await table.put(topicKey(topic), item, {
      condition: "attribute_not_exists(p) OR x <= :now",
      values: { ":now": seconds(now()) },
    });
    return isFirst ? headOf(item) : undefined;
  }

  return {
    async take(topic, count) {
      for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
        const after = now();
        const span = Math.floor(after / TAKING_SPAN_MS) % TAKING_SPANS.length;
        const item = await table.update(topicKey(topic), {
          update: `SET n${span} = if_not_exists(n, :zero) + :count, t${span} = :after, n = if_not_exists(n, :zero) + :count, b = if_not_exists(b, :after), e = if_not_exists(e, :epoch), x = :x`,
          condition: "attribute_not_exists(x) OR x > :now",
          values: {
            ":zero": number(0),
            ":count": number(count),
            ":after": number(after),
            ":epoch": text(newEpoch()),
            ":x": ttl(after + TOPIC_LIFE_MS),
            ":now": seconds(after),
          },
        });
        if (item !== undefined) {
          const { epoch, last } = headOf(item);
          return { epoch, first: last - count + 1, last, after, by: now() };
        }
        await begin(topic);
      }
      throw new UnavailableError("store", `No number could be taken in ${MAX_TRIES} tries. Try again.`);
    },

    async read(topic) {
      for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
        const head = (await look(topic)) ?? (await begin(topic));
        if (head !== undefined) return head;
      }
      throw new UnavailableError("store", `The topic could not be begun in ${MAX_TRIES} tries. Try again.`);
    },

    look,

    async newest(topics) {
      const items = await table.getMany([...new Set(topics)].map(topicKey));
      const heads = new Map(items.map((item) => [textOf(item, "p"), validHeadOf(item)]));
      return topics.map((topic) => heads.get(topicKey(topic).p));
    },

    async restart(topic) {
      const item = newItem();
      // Refused also where the epoch is this one: an earlier attempt came through, and numbers may have been taken since.
      await table.put(topicKey(topic), item, {
        condition: "x > :now AND e <> :epoch",
        values: { ":now": seconds(now()), ":epoch": item.e as AttributeValue },
      });
    },

    async keep(topic, { epoch }, checkpoint) {
      // Refused where another reader came further, or the topic began again: both are as good.
      await table.update(topicKey(topic), {
        update: "SET c = :checkpoint, x = :x",
        condition: "e = :epoch AND (attribute_not_exists(c) OR c <= :checkpoint)",
        values: { ":epoch": text(epoch), ":checkpoint": number(checkpoint), ":x": ttl(now() + TOPIC_LIFE_MS) },
      });
    },
  };
}

function headOf(item: Item): TopicHead {
  return {
    epoch: textOf(item, "e"),
    last: numberOf(item, "n"),
    firstTakenAt: optionalNumber(item, "b"),
    checkpoint: optionalNumber(item, "c") ?? 0,
    takings: TAKING_SPANS.flatMap((span) => {
      const at = optionalNumber(item, `t${span}`);
      return at === undefined ? [] : [{ upTo: numberOf(item, `n${span}`), at }];
    }),
    expiresAt: numberOf(item, "x") * 1_000,
  };
}

/** What a TTL is compared with: one that is equal has passed. */
function seconds(now: number): AttributeValue {
  return number(Math.floor(now / 1_000));
}

function newEpoch(): string {
  return randomBytes(6).toString("base64url");
}
