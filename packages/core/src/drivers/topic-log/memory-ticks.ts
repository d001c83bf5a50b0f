import type { Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import type { AppId } from "../../model.ts";
import type { Ticks } from "../../ports/ticks.ts";
import type { Histories } from "./memory-history.ts";
import { owned, type TopicRow, type TopicRows } from "./memory-rows.ts";
import { countGathered, endTicks, handOut, readTickPage, replaceWakeUp } from "./memory-tick-state.ts";

export interface MemoryTicksOptions {
  readonly rows: TopicRows;
  readonly histories: Histories;
  readonly clock: Pick<Clock, "now">;
  /** Awaited, where it gives a promise, between counting and writing. */
  readonly beforeWrite: (() => Promise<void> | undefined) | undefined;
}

export function createMemoryTicks({ rows, histories, clock, beforeWrite }: MemoryTicksOptions): Ticks {
  function current(app: AppId, topic: Topic, epoch: string): TopicRow | undefined {
    const row = owned(rows.find(app, topic));
    return row?.epoch === epoch ? row : undefined;
  }

  return {
    async gather(app, topic, gathering) {
      const [ticking, write] = countGathered(rows.of(app, topic), gathering, clock.now());
      const held = beforeWrite?.();
      if (held !== undefined) await held;
      write();
      return ticking;
    },

    async ticking(app, topic) {
      const row = owned(rows.find(app, topic));
      return row?.ticks.wakeUp && { place: { epoch: row.epoch, seq: row.ticks.handedOut }, wakeUp: row.ticks.wakeUp };
    },

    async replaceWakeUp(app, topic, from, to) {
      const row = owned(rows.find(app, topic));
      return row !== undefined && replaceWakeUp(row, from, to);
    },

    async readTick(app, topic, after) {
      const row = current(app, topic, after.epoch);
      return row && readTickPage(histories, row, after.seq, rows.settle(row).seq, clock.now());
    },

    async claimTick(app, topic, page, next) {
      const row = current(app, topic, page.upTo.epoch);
      return row !== undefined && handOut(row, page, next);
    },

    async endTicks(app, topic, page) {
      const row = current(app, topic, page.upTo.epoch);
      return row !== undefined && endTicks(row, page);
    },
  };
}
