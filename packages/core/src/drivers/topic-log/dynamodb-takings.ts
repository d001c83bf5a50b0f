import { VOID_AFTER_MS } from "../../ports/topic-log.ts";
import { type Item, number, numberOf, optionalNumber } from "../dynamodb/attributes.ts";
import type { Update } from "../dynamodb/table.ts";

/**
 * A topic's row remembers when numbers were taken: for each of the last four spans of a second the highest number of the span, and the time
 * of its taking. So a reader knows the age of what isn't written, though a single blind update counts. Four spans of half the time after
 * which a number is void: the one that proves this age is not overwritten before the next does.
 */
const TAKING_SPAN_MS = VOID_AFTER_MS / 2;
const TAKING_SPANS = [0, 1, 2, 3];

/** The names of what a topic's row has for that. */
export const TAKING_MARKS: readonly string[] = TAKING_SPANS.flatMap((span) => [`n${span}`, `t${span}`]);

/** Every number up to `upTo` was taken by `at` (Unix ms). */
export interface Taking {
  readonly upTo: number;
  readonly at: number;
}

/** What a count adds, of values that it names. */
export type Counting = Required<Pick<Update, "update" | "values">>;

/** Takes so many numbers. */
export function takingOf(size: number, now: number): Counting {
  const span = Math.floor(now / TAKING_SPAN_MS) % TAKING_SPANS.length;
  const last = "if_not_exists(n, :zero) + :count";
  return {
    update: `n${span} = ${last}, t${span} = :after, n = ${last}, b = if_not_exists(b, :after)`,
    values: { ":count": number(size), ":after": number(now) },
  };
}

export function takingsOf(item: Item): readonly Taking[] {
  return TAKING_SPANS.flatMap((span) => {
    const at = optionalNumber(item, `t${span}`);
    return at === undefined ? [] : [{ upTo: numberOf(item, `n${span}`), at }];
  });
}

/** The last number that was taken by `time`, as far as is known. */
export function takenBy({ takings }: { readonly takings: readonly Taking[] }, time: number): number {
  return Math.max(0, ...takings.filter(({ at }) => at <= time).map(({ upTo }) => upTo));
}
