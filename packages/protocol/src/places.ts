import * as v from "valibot";
import { ok, type Result, refuse } from "./codes.ts";
import type { Place } from "./frames.ts";
import { isJsonObject, type Json } from "./json.ts";
import { MAX_PLACES } from "./limits.ts";
import { nameSchema, wholeNumberSchema } from "./schema.ts";
import { parseTopic, type Topic } from "./topic-name.ts";

/** What a client has of a topic: everything up to this place. */
export interface TopicPlace {
  readonly topic: Topic;
  readonly place: Place;
}

const PLACE_RULE = 'must be an object such as {"epoch":"k3f9","seq":58}.';
/** Of a name in a message. */
const MAX_SHOWN_LENGTH = 40;
/** The `since` of a broadcast's address. */
export const SINCE = /^([A-Za-z0-9_-]{1,64}):(\d{1,16})$/;

export const epochSchema = nameSchema;
export const seqSchema = wholeNumberSchema(0, Number.MAX_SAFE_INTEGER);
/** The fields of a place, each by itself. */
export const placeFieldsSchema = v.object({ epoch: epochSchema, seq: seqSchema });

/** A place, of which a message says as a whole how it must be. */
export const placeSchema = v.pipe(
  v.custom<Place>(isPlace, PLACE_RULE),
  v.transform(({ epoch, seq }): Place => ({ epoch, seq })),
);

function isPlace(value: unknown): value is Place {
  return v.is(placeFieldsSchema, value);
}

/** Parses the `places` of a ping. As a list, because a topic may be called `__proto__`. Never throws. */
export function parsePlaces(places: Json | undefined): Result<readonly TopicPlace[]> {
  if (places === undefined) return ok([]);
  if (!isJsonObject(places)) return refuse("bad_request", "`places` must be an object from topic to place.");
  const entries = Object.entries(places);
  if (entries.length > MAX_PLACES) {
    return refuse(
      "bad_request",
      `\`places\` must hold at most ${MAX_PLACES} topics; ask about the others in another ping.`,
    );
  }
  const parsed: TopicPlace[] = [];
  for (const [name, value] of entries) {
    const field = `places[${shown(name)}]`;
    const topic = parseTopic(name, field);
    if (!topic.ok) return topic;
    const place = v.safeParse(placeSchema, value);
    if (!place.success) return refuse("bad_request", `\`${field}\` ${PLACE_RULE}`);
    parsed.push({ topic: topic.value, place: place.output });
  }
  return ok(parsed);
}

function shown(name: string): string {
  return JSON.stringify(name.length > MAX_SHOWN_LENGTH ? `${name.slice(0, MAX_SHOWN_LENGTH)}…` : name);
}

/** Parses the `since` of a broadcast's address: `{epoch}:{seq}`. Never throws. */
export function parseSince(text: string): Result<Place> {
  const [, epoch, seq] = SINCE.exec(text) ?? [];
  const place = { epoch, seq: Number(seq) };
  return isPlace(place)
    ? ok(place)
    : refuse("bad_request", "`since` must be the `_epoch` and `_seq` of the last message that came, such as k3f9:58.");
}
