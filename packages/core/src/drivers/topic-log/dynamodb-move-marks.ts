import type { TopicState } from "../../ports/topic-mover.ts";
import { type Item, optionalNumber } from "../dynamodb/attributes.ts";

/** What a topic's row says of the stores that have had it. */
export type MoveMarks = Pick<TopicState, "generation" | "floor" | "movedAt" | "isSealed" | "isGone">;

/** That this store numbers the topic: part of each condition of a write that counts, so that it costs nothing. */
export const IS_HERE = "attribute_not_exists(o)";

export const SEALED = 1;
export const GONE = 2;

export function moveMarksOf(item: Item): MoveMarks {
  const movedAt = optionalNumber(item, "m");
  return {
    generation: optionalNumber(item, "j") ?? 0,
    floor: optionalNumber(item, "f") ?? 0,
    ...(movedAt !== undefined && { movedAt }),
    isSealed: item.o !== undefined,
    isGone: optionalNumber(item, "o") === GONE,
  };
}
