import type { Topic } from "@topicast/protocol";
import type { AppId } from "../../model.ts";
import type { TickMessage } from "../../ports/ticks.ts";
import type { Appended, IdempotencyKey } from "../../ports/topic-log.ts";
import type { MovedRange, TopicMover } from "../../ports/topic-mover.ts";
import type { Histories } from "./memory-history.ts";
import type { TopicRow, TopicRows } from "./memory-rows.ts";

export interface MemoryMoverOptions {
  readonly rows: TopicRows;
  readonly histories: Histories;
  readonly findKeyed: (app: AppId, topic: Topic, key: IdempotencyKey) => Appended | undefined;
}

export function createMemoryMover({ rows, histories, findKeyed }: MemoryMoverOptions): TopicMover {
  function rowOf(app: AppId, topic: Topic, { epoch }: MovedRange): TopicRow | undefined {
    const row = rows.find(app, topic);
    return row?.epoch === epoch ? row : undefined;
  }

  return {
    async look(app, topic) {
      const row = rows.find(app, topic);
      return row && { last: { epoch: row.epoch, seq: row.taken }, activeAt: row.activeAt, ...row.move };
    },

    async seal(app, topic, generation) {
      const row = rows.find(app, topic);
      if (row?.move.generation !== generation) return undefined;
      row.move = { ...row.move, isSealed: true };
      // Who took these finds out when it comes to write them.
      row.empty.clear();
      const { epoch, ticks } = row;
      const ticking = ticks.wakeUp && { wakeUp: ticks.wakeUp, place: { epoch, seq: ticks.handedOut } };
      return { place: { epoch, seq: row.taken }, generation, gathered: ticks.gathered, ...(ticking && { ticking }) };
    },

    async takeOver(app, topic, luggage) {
      const row = rows.takeOver(app, topic, luggage);
      if (row === undefined) return;
      histories.forget(row.history);
      row.history.dropped = luggage.place.seq;
    },

    async letGo(app, topic, generation) {
      const row = rows.find(app, topic);
      if (row?.move.generation === generation && row.move.isSealed) row.move = { ...row.move, isGone: true };
    },

    async discard(app, topic, { epoch, seq }) {
      const row = rows.find(app, topic);
      if (row?.epoch === epoch && row.taken === seq && !row.move.isSealed) rows.forget(row);
    },

    findKeyed: async (app, topic, key) => findKeyed(app, topic, key),

    async readMoved(app, topic, range, options) {
      const row = rowOf(app, topic, range);
      return row && histories.readSince(row.history, range.after, { ...options, upTo: range.upTo });
    },

    async readMovedLatest(app, topic, range, options) {
      const row = rowOf(app, topic, range);
      if (row === undefined) return { messages: [], more: false };
      const { messages, more } = histories.readLatest(row.history, { ...options, upTo: range.upTo });
      const first = messages.findIndex(({ seq }) => seq > range.after);
      return { messages: first < 0 ? [] : messages.slice(first), more: more && first === 0 };
    },

    async readMovedTick(app, topic, range) {
      const row = rowOf(app, topic, range);
      const all: TickMessage[] = [];
      for (let after = range.after; row !== undefined; ) {
        const found = histories.tickBetween(row.history, after + 1, range.upTo);
        all.push(...found);
        const last = found.at(-1)?.message.seq;
        if (last === undefined) break;
        after = last;
      }
      return all;
    },
  };
}
