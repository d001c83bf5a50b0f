import type { Json, Place } from "@topicast/protocol";
import type { ConnectionId, LoggedMessage } from "../../model.ts";
import type { TickClaim } from "../../ports/ticks.ts";
import type { IdempotencyKey } from "../../ports/topic-log.ts";
import { type Content, messagesOf } from "./content.ts";

/** A batch of the log, or numbers that are void. */
export interface LogEntry {
  readonly first: number;
  readonly last: number;
  /** Void numbers up to it, in all its epoch. */
  readonly void: number;
  /** None where the numbers are void. */
  readonly messages: readonly LoggedMessage[];
  /** The connection that gets no copy. */
  readonly except?: ConnectionId;
}

/** As a stream gives it: its id, and names and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]];

/** What an append is remembered by. */
export interface KeptBatch {
  readonly place: Place;
  readonly count: number;
  /** Absent of a batch without an idempotency key: who sends it again has it. */
  readonly content?: Content;
}

type Attributes = readonly [time: number, from?: string | null, key?: string | null, except?: ConnectionId | null];

export interface Attributed extends Omit<Content, "payloads" | "key"> {
  readonly key?: IdempotencyKey | undefined;
  readonly tick?: TickClaim | undefined;
}

/** Of a batch, what stands beside its payloads: JSON that begins with its time, which scripts read. */
export function attributesOf({ time, from, key, tick }: Attributed): string {
  return JSON.stringify([time, from ?? null, key?.value ?? null, tick?.except ?? null] satisfies Attributes);
}

export function entryOf([id, fields]: RawEntry): LogEntry {
  const [last, count] = id.split("-").map(Number) as [number, number];
  const field = (name: string) => fields[fields.indexOf(name) + 1] as string;
  const first = last - count + 1;
  const numbers = { first, last, void: Number(field("v")) };
  // Names and values don't meet: a value is never one letter.
  if (!fields.includes("m")) return { ...numbers, messages: [] };
  const attributes = JSON.parse(field("a")) as Attributes;
  const except = attributes[3] ?? undefined;
  const messages = messagesOf(first, contentOf(attributes, field("m")));
  return { ...numbers, messages, ...(except !== undefined && { except }) };
}

export function parseKept(text: string): KeptBatch {
  const [numbers = "", attributes, payloads] = text.split("\n");
  const [, epoch = "", last, count] = numbers.split(" ");
  const place = { epoch, seq: Number(last) };
  if (attributes === undefined || payloads === undefined) return { place, count: Number(count) };
  return { place, count: Number(count), content: contentOf(JSON.parse(attributes) as Attributes, payloads) };
}

function contentOf([time, from, key]: Attributes, payloads: string): Content {
  return {
    payloads: JSON.parse(payloads) as readonly Json[],
    from: from ?? undefined,
    time,
    key: key ?? undefined,
  };
}
