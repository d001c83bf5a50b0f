import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import { type TopicLog, VOID_AFTER_MS } from "../../ports/topic-log.ts";
import { topicHash } from "../dynamodb/keys.ts";
import { createTable } from "../dynamodb/table.ts";
import { createTopicHeads } from "./dynamodb-head.ts";
import { createReadHistory } from "./dynamodb-history.ts";
import { createLogRows, messagesOf } from "./dynamodb-rows.ts";
import { createSettle } from "./dynamodb-settling.ts";
import { LAST_WRITE_MS } from "./dynamodb-times.ts";

/** Times that a publisher takes numbers because it was late with those before. */
const MAX_TAKES = 5;

export interface DynamoDbTopicLogOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** History: the newest numbers that are kept, void ones among them, and for how long. */
  readonly maxMessages?: number;
  readonly maxAgeMs?: number;
}

/**
 * Topics and their history in DynamoDB; `dynamodb/keys.ts` has the rows. A batch is two writes: its numbers are counted on the topic's row,
 * then it becomes one row under the first of them. What settles, and how late a writer may be, is in `dynamodb-times.ts`.
 */
export function createDynamoDbTopicLog(options: DynamoDbTopicLogOptions): TopicLog {
  const { client, tableName, clock, maxMessages = 1_000, maxAgeMs = 120_000 } = options;
  const { now } = clock;
  const table = createTable({ client, tableName, clock });
  const heads = createTopicHeads({ table, now });
  const rows = createLogRows(table);
  const settle = createSettle({ heads, rows, now });
  const readHistory = createReadHistory({ rows, now, maxAgeMs });

  return {
    async append(app, topic, batch) {
      const hash = topicHash(app, topic);
      for (let attempt = 0; attempt < MAX_TAKES; attempt++) {
        const taken = await heads.take(hash, batch.payloads.length);
        const isOverdue = now() - taken.after >= VOID_AFTER_MS;
        if (isOverdue || !(await rows.write(hash, taken, batch))) continue;
        if (now() - taken.after > LAST_WRITE_MS) {
          // This process stood still. Readers may have gone past the number without it.
          throw new UnavailableError("store", "A message was written too late to be found by all. Publish it again.");
        }
        return { epoch: taken.epoch, messages: messagesOf(taken, batch) };
      }
      throw new UnavailableError(
        "store",
        `A message was too late with its number ${MAX_TAKES} times. Publish it again.`,
      );
    },

    async place(app, topic) {
      const { head, seq } = await settle(topicHash(app, topic));
      return { epoch: head.epoch, seq };
    },

    async readSince(app, topic, since, limit) {
      const hash = topicHash(app, topic);
      const { head, seq } = await settle(hash);
      const { epoch, last } = head;
      const place = { epoch, seq };
      const isOther = since.epoch !== epoch || since.seq > last;
      if (isOther || since.seq < last - maxMessages) return { recovered: false, place };
      if (since.seq >= seq) return { recovered: true, place, messages: [], more: false };
      const page = await readHistory({ topic: hash, epoch, first: since.seq + 1, last: seq }, limit);
      return page === undefined ? { recovered: false, place } : { recovered: true, place, ...page };
    },
  };
}
