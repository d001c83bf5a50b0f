import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { MovedError, UnavailableError } from "../../errors.ts";
import type { TickClaim, Ticking } from "../../ports/ticks.ts";
import { randomName } from "../../random-name.ts";
import { type Item, number, numberOf, optionalNumber, text, textOf, ttl } from "../dynamodb/attributes.ts";
import { topicKey } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import type { TopicHash } from "../topic-hash.ts";
import { IS_HERE, type MoveMarks, moveMarksOf } from "./dynamodb-move-marks.ts";
import { type Counting, TAKING_MARKS, type Taking, takingOf, takingsOf } from "./dynamodb-takings.ts";
import { claimOf, type TickMarks, tickingOf, tickMarksOf } from "./dynamodb-tick-marks.ts";
import { TOPIC_LIFE_LEFT_MS, TOPIC_LIFE_MS } from "./dynamodb-times.ts";

/** What a topic's row has of one epoch, beside the epoch and its last number. */
const OF_AN_EPOCH = ["c", "b", "w", "d", "g", "a", "h", "f", ...TAKING_MARKS].join(", ");

/** Tries to read or count in a topic that is forgotten at the same moment. */
const MAX_TRIES = 3;

export interface TopicHead {
  readonly epoch: string;
  /** The last number taken. */
  readonly last: number;
  /** Unix ms: none of its numbers was taken before. Undefined where none is taken. */
  readonly firstTakenAt: number | undefined;
  /** Every number up to it is written or void. */
  readonly checkpoint: number;
  readonly takings: readonly Taking[];
  readonly ticks: TickMarks;
  /** Unix ms. */
  readonly expiresAt: number;
  readonly move: MoveMarks;
}

export interface Taken {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  /** Unix ms before and after: the numbers were taken in between. */
  readonly after: number;
  readonly by: number;
  /** Where they are to leave in a tick. */
  readonly ticking?: Ticking;
}

/** What is gathered, as it was counted in. */
export interface Counted {
  readonly epoch: string;
  readonly number: number;
  readonly ticking: Ticking;
}

/** The rows of topics. */
export interface TopicHeads {
  /** Takes the next numbers; begins the topic where there is none. Throws `MovedError`. */
  take(topic: TopicHash, count: number, tick?: TickClaim): Promise<Taken>;
  /** Counts in what is gathered; begins the topic where there is none. Throws `MovedError`. */
  gather(topic: TopicHash, tick: TickClaim): Promise<Counted>;
  /** Always fresh. Begins the topic where there is none. Throws `MovedError`. */
  read(topic: TopicHash): Promise<TopicHead>;
  /** Undefined where there is none. Always fresh. Throws `MovedError`. */
  look(topic: TopicHash): Promise<TopicHead | undefined>;
  /** In the order of the topics; undefined for one that there isn't, or that moved. Always fresh. Begins none. */
  newest(topics: readonly TopicHash[]): Promise<readonly (TopicHead | undefined)[]>;
  /** Begins a new epoch at 0, where there is the topic and it hasn't moved. */
  restart(topic: TopicHash): Promise<void>;
  /** Moves the checkpoint on, and the end of the topic's life. */
  keep(topic: TopicHash, head: TopicHead, checkpoint: number): Promise<void>;
}

export interface TopicHeadsOptions {
  readonly table: Table;
  /** Unix ms. */
  readonly now: () => number;
}

export function isNearItsEnd({ expiresAt }: TopicHead, now: number): boolean {
  return expiresAt - now < TOPIC_LIFE_LEFT_MS;
}

export function createTopicHeads({ table, now }: TopicHeadsOptions): TopicHeads {
  function newItem(): Item {
    return { e: text(randomName()), n: number(0), x: ttl(now() + TOPIC_LIFE_MS) };
  }

  function validHeadOf(item: Item): TopicHead | undefined {
    const head = headOf(item);
    return head.expiresAt > now() ? head : undefined;
  }

  async function look(topic: TopicHash): Promise<TopicHead | undefined> {
    const item = await table.get(topicKey(topic), "fresh");
    const head = item && validHeadOf(item);
    if (head?.move.isSealed) throw new MovedError();
    return head;
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

  /** Counts in a topic, which it begins where there is none; Unix ms before, and the row as it is after. */
  async function count(topic: TopicHash, counting: (now: number) => Counting, tick?: TickClaim) {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const after = now();
      const { update, values } = counting(after);
      const claim = tick && claimOf(tick);
      const item = await table.update(topicKey(topic), {
        update: `SET ${update}${claim ? `, ${claim.update}` : ""}, e = if_not_exists(e, :epoch), x = :x`,
        condition: `attribute_not_exists(x) OR (x > :now AND ${IS_HERE})`,
        values: {
          ...values,
          ...claim?.values,
          ":zero": number(0),
          ":epoch": text(randomName()),
          ":x": ttl(after + TOPIC_LIFE_MS),
          ":now": seconds(after),
        },
      });
      if (item !== undefined) return { after, item };
      // Where it isn't begun now, somebody else did that, or it moved.
      if ((await begin(topic)) === undefined) await look(topic);
    }
    throw new UnavailableError("store", `No number could be taken in ${MAX_TRIES} tries. Try again.`);
  }

  return {
    async take(topic, size, tick) {
      const { after, item } = await count(topic, (at) => takingOf(size, at), tick);
      const { epoch, last } = headOf(item);
      const taken = { epoch, first: last - size + 1, last, after, by: now() };
      return tick === undefined ? taken : { ...taken, ticking: tickingOf(item) };
    },

    async gather(topic, tick) {
      const { item } = await count(topic, gatheringOf, tick);
      return { epoch: textOf(item, "e"), number: numberOf(item, "g"), ticking: tickingOf(item) };
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
      return topics.map((topic) => {
        const head = heads.get(topicKey(topic).p);
        return head?.move.isSealed ? undefined : head;
      });
    },

    async restart(topic) {
      const item = newItem();
      const update = {
        update: `SET e = :e, n = :n, x = :x REMOVE ${OF_AN_EPOCH}`,
        // Refused also where the epoch is this one: an earlier attempt came through, and numbers may have been taken since.
        condition: `x > :now AND e <> :e AND ${IS_HERE}`,
        values: { ...namedValues(item), ":now": seconds(now()) },
      };
      await table.update(topicKey(topic), update);
    },

    async keep(topic, { epoch }, checkpoint) {
      // Refused where another reader came further, or the topic began again: both are as good.
      await table.update(topicKey(topic), {
        update: "SET c = :checkpoint, x = :x",
        condition: `e = :epoch AND (attribute_not_exists(c) OR c <= :checkpoint) AND ${IS_HERE}`,
        values: { ":epoch": text(epoch), ":checkpoint": number(checkpoint), ":x": ttl(now() + TOPIC_LIFE_MS) },
      });
    },
  };
}

/** What is gathered is counted apart from messages. */
function gatheringOf(now: number): Counting {
  return {
    update: "g = if_not_exists(g, :zero) + :one, a = :after, n = if_not_exists(n, :zero)",
    values: { ":one": number(1), ":after": number(now) },
  };
}

export function headOf(item: Item): TopicHead {
  return {
    epoch: textOf(item, "e"),
    last: numberOf(item, "n"),
    firstTakenAt: optionalNumber(item, "b"),
    checkpoint: optionalNumber(item, "c") ?? 0,
    takings: takingsOf(item),
    ticks: tickMarksOf(item),
    expiresAt: numberOf(item, "x") * 1_000,
    move: moveMarksOf(item),
  };
}

/** What a TTL is compared with: one that is equal has passed. */
export function seconds(now: number): AttributeValue {
  return number(Math.floor(now / 1_000));
}

function namedValues(item: Item): Item {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [`:${name}`, value]));
}
