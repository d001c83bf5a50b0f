import type { Place, Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import { MovedError } from "../../errors.ts";
import type { AppId } from "../../model.ts";
import { VOID_AFTER_MS } from "../../ports/topic-log.ts";
import type { Luggage, TopicState } from "../../ports/topic-mover.ts";
import { createHistory, type History } from "./memory-history.ts";
import { createOrder, type Order } from "./memory-order.ts";
import { continueTicks, createTickState, type TickState } from "./memory-tick-state.ts";

/** Numbers that follow one another, in one epoch of a topic. */
export interface Taken {
  readonly row: TopicRow;
  readonly first: number;
  readonly last: number;
  /** Unix ms. */
  readonly takenAt: number;
}

/** One epoch of a topic. */
export interface TopicRow {
  readonly name: string;
  readonly epoch: string;
  readonly history: History;
  /** Numbers taken and neither written nor void yet, by their first. */
  readonly empty: Map<number, Taken>;
  readonly ticks: TickState;
  /** The last number taken. */
  taken: number;
  /** Unix ms of the last call about the topic. */
  activeAt: number;
  /** Where it stands among the stores that have had it; see `TopicState`. */
  move: Move;
}

type Move = Pick<TopicState, "generation" | "floor" | "movedAt" | "isSealed" | "isGone">;

const NEVER_MOVED: Move = { generation: 0, floor: 0, isSealed: false, isGone: false };

export interface TopicRows {
  /** Begins the topic where there is none. Throws `MovedError`. */
  of(app: AppId, topic: Topic): TopicRow;
  find(app: AppId, topic: Topic): TopicRow | undefined;
  /** Begins a new epoch of a topic, where there is one and it hasn't moved. */
  restart(app: AppId, topic: Topic): void;
  /** Goes on with a topic of another store; undefined where it is here already. */
  takeOver(app: AppId, topic: Topic, luggage: Luggage): TopicRow | undefined;
  forget(row: TopicRow): void;
  /** False where the topic began a new epoch since, or was forgotten. */
  isCurrent(row: TopicRow): boolean;
  take(row: TopicRow, count: number): Taken;
  /** Makes void what stayed empty for too long; the place up to which every number is written or void. */
  settle(row: TopicRow): Place;
}

export interface TopicRowsOptions {
  readonly clock: Pick<Clock, "now">;
  readonly maxIdleMs: number;
  readonly maxTopics: number;
  readonly newEpoch: () => string;
  /** An epoch is over: nobody will read it again. */
  readonly onEnd: (row: TopicRow) => void;
}

export function createTopicRows({ clock, maxIdleMs, maxTopics, newEpoch, onEnd }: TopicRowsOptions): TopicRows {
  const rows = new Map<string, TopicRow>();
  /** Topics by whether something was published to them; the one that was still for longest is the oldest. */
  const published = createOrder<TopicRow>();
  const unused = createOrder<TopicRow>();

  /** Readers make up topics at no cost: these give way first, so that they push out at most one that has messages. */
  function makeRoom(): void {
    while (rows.size >= maxTopics) end((unused.oldest ?? published.oldest) as TopicRow);
  }

  function begin(name: string, epoch = newEpoch(), move = NEVER_MOVED): TopicRow {
    makeRoom();
    const now = clock.now();
    const parts = { history: createHistory(), empty: new Map(), ticks: createTickState() };
    const row = { name, epoch, ...parts, taken: 0, activeAt: now, move };
    rows.set(name, row);
    unused.touch(row);
    return row;
  }

  function end(row: TopicRow): void {
    rows.delete(row.name);
    unused.delete(row);
    published.delete(row);
    onEnd(row);
  }

  function orderOf({ taken }: TopicRow): Order<TopicRow> {
    return taken === 0 ? unused : published;
  }

  function forgetStill(now: number): void {
    for (const order of [unused, published]) {
      while (order.oldest !== undefined && now - order.oldest.activeAt > maxIdleMs) end(order.oldest);
    }
  }

  return {
    of(app, topic) {
      const name = nameOf(app, topic);
      const row = owned(rows.get(name)) ?? begin(name);
      row.activeAt = clock.now();
      orderOf(row).touch(row);
      forgetStill(row.activeAt);
      return row;
    },

    find(app, topic) {
      return rows.get(nameOf(app, topic));
    },

    restart(app, topic) {
      const name = nameOf(app, topic);
      const row = rows.get(name);
      if (row === undefined || row.move.isSealed) return;
      end(row);
      begin(name, newEpoch(), { ...row.move, floor: 0 });
    },

    takeOver(app, topic, luggage) {
      const { place, generation: before } = luggage;
      const name = nameOf(app, topic);
      const known = rows.get(name);
      const generation = before + 1;
      if (known !== undefined && (!known.move.isSealed || known.move.generation >= generation)) return undefined;
      const isBack = known?.epoch === place.epoch;
      if (known !== undefined && !isBack) end(known);
      const row = isBack ? known : begin(name, place.epoch);
      row.move = { generation, floor: place.seq, movedAt: clock.now(), isSealed: false, isGone: false };
      row.taken = place.seq;
      row.activeAt = clock.now();
      continueTicks(row.ticks, luggage);
      return row;
    },

    forget: end,

    isCurrent(row) {
      return rows.get(row.name) === row;
    },

    take(row, count) {
      const taken = { row, first: row.taken + 1, last: row.taken + count, takenAt: clock.now() };
      unused.delete(row);
      published.touch(row);
      row.taken = taken.last;
      row.empty.set(taken.first, taken);
      return taken;
    },

    settle({ epoch, empty, taken }) {
      // Numbers ascend in the map, as they were taken.
      for (const [first, { takenAt }] of empty) {
        if (clock.now() - takenAt < VOID_AFTER_MS) return { epoch, seq: first - 1 };
        empty.delete(first);
      }
      return { epoch, seq: taken };
    },
  };
}

/** Throws where another store has it. */
export function owned<Row extends TopicRow | undefined>(row: Row): Row {
  if (row?.move.isSealed) throw new MovedError();
  return row;
}

/** Every number up to it is written or void; those behind may be written late. */
export function closedUpTo({ empty, taken }: TopicRow): number {
  const [first] = empty.keys();
  return first === undefined ? taken : first - 1;
}

/** The numbers are written now, or void; false where they are void already. */
export function close({ row, first }: Taken): boolean {
  return row.empty.delete(first);
}

/** Neither an application's name nor a topic holds a NUL. */
function nameOf(app: AppId, topic: Topic): string {
  return `${app}\0${topic}`;
}
