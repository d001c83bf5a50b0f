import type { TickClaim, Ticking, WakeUp } from "../../ports/ticks.ts";
import { type Item, number, numberOf, optionalNumber, optionalText, text, textOf } from "../dynamodb/attributes.ts";
import { topicKey } from "../dynamodb/keys.ts";
import type { Table, Update } from "../dynamodb/table.ts";
import type { TopicHash } from "../topic-hash.ts";
import { IS_HERE } from "./dynamodb-move-marks.ts";

/** What a topic's row says of its ticks. */
export interface TickMarks {
  readonly ticking: Ticking | undefined;
  /** The last number of what was gathered. These are apart from those of messages. */
  readonly gathered: number;
  /** Unix ms at which that was counted. */
  readonly gatheredAt: number;
  /** The last of them that a tick took. */
  readonly handedOut: number;
}

export function tickMarksOf(item: Item): TickMarks {
  const wakeUp = optionalText(item, "w");
  return {
    ticking: wakeUp === undefined ? undefined : tickingOf(item),
    gathered: optionalNumber(item, "g") ?? 0,
    gatheredAt: optionalNumber(item, "a") ?? 0,
    handedOut: optionalNumber(item, "h") ?? 0,
  };
}

/** Of a topic that was counted in with a claim. Throws where it has no wake-up. */
export function tickingOf(item: Item): Ticking {
  return {
    place: { epoch: textOf(item, "e"), seq: numberOf(item, "d") },
    wakeUp: wakeUpOf(textOf(item, "w")),
  };
}

/** What a count does besides: a topic has no wake-up where everything up to its last number is handed out, or isn't meant for ticks. */
export function claimOf({ wakeUp }: TickClaim): Required<Pick<Update, "update" | "values">> {
  return {
    update: "w = if_not_exists(w, :w), d = if_not_exists(d, if_not_exists(n, :zero))",
    values: { ":w": wakeUpText({ ...wakeUp, isSent: false }), ":zero": number(0) },
  };
}

export interface TickHandOut {
  readonly upTo: number;
  readonly gatheredUpTo: number;
}

/** Changes of a topic's wake-up, each refused where it isn't the one that the caller knows. */
export interface TickMarkRows {
  replace(topic: TopicHash, from: WakeUp, to: WakeUp): Promise<boolean>;
  handOut(topic: TopicHash, from: WakeUp, to: WakeUp, handOut: TickHandOut): Promise<boolean>;
  /** Also refused where something was counted in beyond that. */
  end(topic: TopicHash, from: WakeUp, handedOut: TickHandOut): Promise<boolean>;
}

/** Holds too where an earlier attempt of the same call came through, and its answer was lost: nobody else knows the new wake-up yet. */
const IS_MINE = `(w = :from OR w = :to) AND ${IS_HERE}`;

export function createTickMarkRows(table: Table): TickMarkRows {
  async function change(topic: TopicHash, update: Update): Promise<boolean> {
    return (await table.update(topicKey(topic), update)) !== undefined;
  }

  return {
    replace: (topic, from, to) =>
      change(topic, {
        update: "SET w = :to",
        condition: IS_MINE,
        values: { ":from": wakeUpText(from), ":to": wakeUpText(to) },
      }),

    // What is handed out is settled: whoever reads the log next need not look there again.
    handOut: (topic, from, to, { upTo, gatheredUpTo }) =>
      change(topic, {
        update: "SET w = :to, d = :upTo, c = :upTo, h = :gatheredUpTo",
        condition: IS_MINE,
        values: {
          ":from": wakeUpText(from),
          ":to": wakeUpText(to),
          ":upTo": number(upTo),
          ":gatheredUpTo": number(gatheredUpTo),
        },
      }),

    end: (topic, from, { upTo, gatheredUpTo }) =>
      change(topic, {
        update: "REMOVE w, d",
        condition: `w = :from AND n = :upTo AND (attribute_not_exists(g) OR g = :gatheredUpTo) AND ${IS_HERE}`,
        values: { ":from": wakeUpText(from), ":upTo": number(upTo), ":gatheredUpTo": number(gatheredUpTo) },
      }),
  };
}

/** One text, so that a condition compares all of it. */
export function wakeUpText({ id, dueAt, isSent }: WakeUp) {
  return text(`${id} ${dueAt} ${isSent ? 1 : 0}`);
}

function wakeUpOf(wakeUp: string): WakeUp {
  const [id = "", dueAt, isSent] = wakeUp.split(" ");
  return { id, dueAt: Number(dueAt), isSent: isSent === "1" };
}
