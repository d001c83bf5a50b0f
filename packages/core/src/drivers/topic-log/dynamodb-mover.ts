import type { TickMessage } from "../../ports/ticks.ts";
import type { Appended, IdempotencyKey } from "../../ports/topic-log.ts";
import type { Luggage, MovedRange, TopicMover, TopicState } from "../../ports/topic-mover.ts";
import { type Item, number, text, ttl } from "../dynamodb/attributes.ts";
import { topicKey } from "../dynamodb/keys.ts";
import type { Condition, Table } from "../dynamodb/table.ts";
import { type TopicHash, topicHash } from "../topic-hash.ts";
import { headOf, seconds, type TopicHead } from "./dynamodb-head.ts";
import type { History } from "./dynamodb-history.ts";
import { GONE, IS_HERE, SEALED } from "./dynamodb-move-marks.ts";
import type { LogRows } from "./dynamodb-rows.ts";
import type { SettleAll } from "./dynamodb-settling.ts";
import { wakeUpText } from "./dynamodb-tick-marks.ts";
import { TOPIC_LIFE_MS } from "./dynamodb-times.ts";

/** Of one read of what a tick left over. */
const READ_ROWS = 100;

export interface DynamoDbMoverOptions {
  readonly table: Table;
  readonly rows: LogRows;
  readonly history: History;
  readonly settleAll: SettleAll;
  readonly findKeyed: (topic: TopicHash, key: IdempotencyKey) => Promise<Appended | undefined>;
  /** Unix ms. */
  readonly now: () => number;
}

/** `TopicMover` in rows: a topic's own says whether it is here, and all others are found without it. */
export function createDynamoDbMover(options: DynamoDbMoverOptions): TopicMover {
  const { table, rows, history, settleAll, findKeyed, now } = options;

  async function look(topic: TopicHash): Promise<TopicHead | undefined> {
    const item = await table.get(topicKey(topic), "fresh");
    const head = item && headOf(item);
    return head !== undefined && head.expiresAt > now() ? head : undefined;
  }

  async function seal(topic: TopicHash, generation: number): Promise<TopicHead | undefined> {
    const { condition, values } = isOf(generation);
    const item = await table.update(topicKey(topic), {
      update: "SET o = if_not_exists(o, :sealed)",
      condition: `x > :now AND ${condition}`,
      values: { ...values, ":sealed": number(SEALED), ":now": seconds(now()) },
    });
    return item && headOf(item);
  }

  async function* rowsOf(topic: TopicHash, { epoch, after, upTo }: MovedRange) {
    let next: string | undefined;
    do {
      const at = next === undefined ? {} : { after: next };
      const range = { topic, epoch, first: after + 1, last: upTo };
      const page = await rows.rows({ ...range, ...at, limit: READ_ROWS, order: "ascending" });
      yield* page.rows;
      next = page.next;
    } while (next !== undefined);
  }

  return {
    async look(app, topic) {
      const head = await look(topicHash(app, topic));
      return head && stateOf(head);
    },

    async seal(app, topic, generation) {
      const hash = topicHash(app, topic);
      const head = await seal(hash, generation);
      if (head === undefined) return undefined;
      await settleAll(hash, head);
      const { ticking, gathered } = head.ticks;
      return { place: lastOf(head), generation, gathered, ...(ticking !== undefined && { ticking }) };
    },

    async takeOver(app, topic, luggage) {
      const generation = number(luggage.generation + 1);
      await table.put(topicKey(topicHash(app, topic)), itemOf(luggage, now()), {
        condition:
          "attribute_not_exists(p) OR x <= :now OR (attribute_exists(o) AND (attribute_not_exists(j) OR j < :j))",
        values: { ":now": seconds(now()), ":j": generation },
      });
    },

    async letGo(app, topic, generation) {
      const { condition, values } = isOf(generation);
      await table.update(topicKey(topicHash(app, topic)), {
        update: "SET o = :gone",
        condition: `attribute_exists(o) AND ${condition}`,
        values: { ...values, ":gone": number(GONE) },
      });
    },

    async discard(app, topic, { epoch, seq }) {
      await table.delete(topicKey(topicHash(app, topic)), {
        condition: `e = :e AND n = :n AND ${IS_HERE}`,
        values: { ":e": text(epoch), ":n": number(seq) },
      });
    },

    findKeyed: (app, topic, key) => findKeyed(topicHash(app, topic), key),

    async readMoved(app, topic, { epoch, after, upTo }, pageOptions) {
      const range = { topic: topicHash(app, topic), epoch, first: after + 1, last: upTo };
      if (upTo - after > pageOptions.retention.maxMessages) return undefined;
      const head = await look(range.topic);
      const isKnown = head?.epoch === epoch;
      if (isKnown && after < head.move.floor) return undefined;
      return history.oldest({ ...range, firstTakenAt: isKnown ? head.firstTakenAt : undefined }, pageOptions);
    },

    async readMovedLatest(app, topic, { epoch, after, upTo }, pageOptions) {
      const hash = topicHash(app, topic);
      const head = await look(hash);
      const floor = head?.epoch === epoch ? head.move.floor : 0;
      const first = Math.max(after + 1, floor + 1, upTo - pageOptions.retention.maxMessages + 1);
      if (first > upTo) return { messages: [], more: false };
      return history.newest({ topic: hash, epoch, first, last: upTo }, pageOptions);
    },

    async readMovedTick(app, topic, range) {
      const all: TickMessage[] = [];
      for await (const { messages, except } of rowsOf(topicHash(app, topic), range)) {
        all.push(...messages.map((message) => ({ message, ...(except !== undefined && { except }) })));
      }
      return all;
    },
  };
}

function isOf(generation: number): Required<Omit<Condition, "names">> {
  if (generation === 0) return { condition: "attribute_not_exists(j)", values: {} };
  return { condition: "j = :j", values: { ":j": number(generation) } };
}

function lastOf({ epoch, last }: TopicHead) {
  return { epoch, seq: last };
}

function stateOf(head: TopicHead): TopicState {
  return { last: lastOf(head), activeAt: head.expiresAt - TOPIC_LIFE_MS, ...head.move };
}

/** Everything up to its last number is settled, and none of these is here. */
function itemOf({ place, generation, ticking, gathered }: Luggage, now: number): Item {
  const seq = number(place.seq);
  return {
    e: text(place.epoch),
    n: seq,
    c: seq,
    f: seq,
    j: number(generation + 1),
    m: number(now),
    x: ttl(now + TOPIC_LIFE_MS),
    ...(gathered > 0 && { g: number(gathered), h: number(gathered) }),
    ...(ticking !== undefined && { w: wakeUpText(ticking.wakeUp), d: number(ticking.place.seq) }),
  };
}
