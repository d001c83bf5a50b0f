import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Place } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import type { MovableTopicLog } from "../../ports/topic-mover.ts";
import { createTable } from "../dynamodb/table.ts";
import { topicHash } from "../topic-hash.ts";
import { createAppend } from "./dynamodb-append.ts";
import { createGatheredRows } from "./dynamodb-gathered-rows.ts";
import { createTopicHeads, type TopicHead } from "./dynamodb-head.ts";
import { createHistory } from "./dynamodb-history.ts";
import { createKeyRows } from "./dynamodb-key-rows.ts";
import { createDynamoDbMover } from "./dynamodb-mover.ts";
import { createLogRows } from "./dynamodb-rows.ts";
import { createSettling } from "./dynamodb-settling.ts";
import { createTickMarkRows } from "./dynamodb-tick-marks.ts";
import { createDynamoDbTicks } from "./dynamodb-ticks.ts";

export interface DynamoDbTopicLogOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** From 0 up to 1: which of many readers leaves a checkpoint for the next. */
  readonly random?: () => number;
}

/**
 * Topics and their history in DynamoDB; `dynamodb/keys.ts` has the rows. A batch is two writes: its numbers are counted on the topic's row,
 * then it becomes one row under the first of them. With a key it is three: in between, the key's row comes to name these numbers. What
 * settles, and how late a writer may be, is in `dynamodb-times.ts`.
 *
 * Rows live for a day whatever a topic's retention is: a history of more than a day is not recovered. A retention's number counts void numbers too.
 */
export function createDynamoDbTopicLog(options: DynamoDbTopicLogOptions): MovableTopicLog {
  const { client, tableName, clock, random = Math.random } = options;
  const { now } = clock;
  const table = createTable({ client, tableName, clock });
  const heads = createTopicHeads({ table, now });
  const rows = createLogRows(table);
  const keyRows = createKeyRows({ table, now });
  const { append, findKeyed } = createAppend({ heads, rows, keyRows, now });
  const { settle, settleAll } = createSettling({ heads, rows, now, random });
  const history = createHistory({ rows, now });
  const marks = createTickMarkRows(table);
  const ticks = createDynamoDbTicks({ heads, marks, rows, gatheredRows: createGatheredRows(table), settle, now });

  return {
    append: (app, topic, batch) => append(topicHash(app, topic), batch),

    claim: (app, topic, key) => keyRows.claim(topicHash(app, topic), key),

    async place(app, topic) {
      const { head, seq } = await settle(topicHash(app, topic));
      return { epoch: head.epoch, seq };
    },

    async newest(app, topics) {
      return (await heads.newest(topics.map((topic) => topicHash(app, topic)))).map(lastPlace);
    },

    async readSince(app, topic, since, pageOptions) {
      const hash = topicHash(app, topic);
      const { head, seq } = await settle(hash);
      const { epoch, last, firstTakenAt, move } = head;
      const place = { epoch, seq };
      const isOther = since.epoch !== epoch || since.seq > last || since.seq < move.floor;
      if (isOther) return { recovered: false, place };
      // Nothing settled follows, whatever of the unsettled is too old or too many by now.
      if (since.seq >= seq) return { recovered: true, place, messages: [], more: false };
      if (since.seq < last - pageOptions.retention.maxMessages) return { recovered: false, place };
      const range = { topic: hash, epoch, firstTakenAt, first: since.seq + 1, last: seq };
      const page = await history.oldest(range, pageOptions);
      return page === undefined ? { recovered: false, place } : { recovered: true, place, ...page };
    },

    async readLatest(app, topic, pageOptions) {
      const hash = topicHash(app, topic);
      const { head, seq } = await settle(hash);
      const { epoch, last, move } = head;
      const place = { epoch, seq };
      const first = Math.max(1, last - pageOptions.retention.maxMessages + 1, move.floor + 1);
      if (first > seq) return { place, messages: [], more: false };
      return { place, ...(await history.newest({ topic: hash, epoch, first, last: seq }, pageOptions)) };
    },

    restart: (app, topic) => heads.restart(topicHash(app, topic)),

    gather: (app, topic, gathering) => ticks.gather(topicHash(app, topic), gathering),
    ticking: (app, topic) => ticks.ticking(topicHash(app, topic)),
    replaceWakeUp: (app, topic, from, to) => ticks.replaceWakeUp(topicHash(app, topic), from, to),
    readTick: (app, topic, { epoch, seq }) => ticks.readTick(topicHash(app, topic), epoch, seq),
    claimTick: (app, topic, page, next) => ticks.claimTick(topicHash(app, topic), page, next),
    endTicks: (app, topic, page) => ticks.endTicks(topicHash(app, topic), page),

    ...createDynamoDbMover({ table, rows, history, settleAll, findKeyed, now }),
  };
}

function lastPlace(head: TopicHead | undefined): Place | undefined {
  return head && { epoch: head.epoch, seq: head.last };
}
