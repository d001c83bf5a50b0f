import type { Place, Topic } from "@topicast/protocol";
import type { AppId, LoggedMessage } from "../../model.ts";
import type { TickPage } from "../../ports/ticks.ts";
import { type LatestPage, type LogPage, MAX_PAGE_BYTES, type PageOptions } from "../../ports/topic-log.ts";
import type { Owned } from "./topic-owner.ts";

/** Reads a topic whose older messages are in the store that had it before. Each of the two keeps as many as the topic may have. */
export interface MovedHistory {
  readSince(owned: Owned, app: AppId, topic: Topic, since: Place, options: PageOptions): Promise<LogPage>;
  readLatest(owned: Owned, app: AppId, topic: Topic, options: PageOptions): Promise<LatestPage>;
  readTick(owned: Owned, app: AppId, topic: Topic, after: Place): Promise<TickPage | undefined>;
}

export function createMovedHistory(): MovedHistory {
  return {
    async readSince({ store, other, state }, app, topic, since, options) {
      const { epoch } = state.last;
      const { floor } = state;
      if (since.epoch !== epoch || since.seq >= floor) return store.readSince(app, topic, since, options);
      // The place first: what is numbered later is behind it, wherever it lies.
      const place = await store.place(app, topic);
      if (place.epoch !== epoch) return { recovered: false, place };
      const range = { epoch, after: since.seq, upTo: floor };
      const page = await other.readMoved(app, topic, range, options);
      if (page === undefined) return { recovered: false, place };
      // A page may hold fewer than there are, but none where there are some.
      if (page.messages.length > 0) return { recovered: true, place, ...page, more: page.more || place.seq > floor };
      return store.readSince(app, topic, { epoch, seq: floor }, options);
    },

    async readLatest({ store, other, state }, app, topic, options) {
      const { last, floor } = state;
      const page = await store.readLatest(app, topic, options);
      const { place, messages, more } = page;
      const left = options.limit - messages.length;
      if (more || left <= 0 || floor === 0 || place.epoch !== last.epoch) return page;
      const range = { epoch: place.epoch, after: 0, upTo: floor };
      const older = await other.readMovedLatest(app, topic, range, { ...options, limit: left });
      return { place, ...joined(older, messages) };
    },

    async readTick({ store, other, state }, app, topic, after) {
      const { epoch } = state.last;
      const { floor } = state;
      if (after.epoch !== epoch || after.seq >= floor) return store.readTick(app, topic, after);
      const page = await store.readTick(app, topic, { epoch, seq: floor });
      if (page === undefined) return undefined;
      const range = { epoch, after: after.seq, upTo: floor };
      const left = await other.readMovedTick(app, topic, range);
      return { ...page, numbered: [...left, ...page.numbered] };
    },
  };
}

/** Older messages in front of newer ones, as far as a page holds them. */
function joined(older: Pick<LatestPage, "messages" | "more">, newer: readonly LoggedMessage[]) {
  let bytes = newer.reduce((sum, message) => sum + bytesOf(message), 0);
  let start = older.messages.length;
  for (; start > 0; start--) {
    bytes += bytesOf(older.messages[start - 1] as LoggedMessage);
    if (bytes > MAX_PAGE_BYTES && newer.length + older.messages.length - start > 0) break;
  }
  return { messages: [...older.messages.slice(start), ...newer], more: older.more || start > 0 };
}

function bytesOf({ payload }: LoggedMessage): number {
  return Buffer.byteLength(JSON.stringify(payload));
}
