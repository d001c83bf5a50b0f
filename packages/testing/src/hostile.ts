import type { Json, Topic } from "@topicast/protocol";
import { MAX_JSON_DEPTH, MAX_TOPIC_LENGTH } from "@topicast/protocol";

/**
 * Names that a careless key or a plain object mixes up. `room#1` is no name that the protocol takes, but a driver must not rest
 * on that.
 */
export const HOSTILE_NAMES: readonly string[] = [
  "room",
  "room/1",
  "room#1",
  "room:1",
  "room/1/1",
  "room=1",
  "Room",
  "__proto__",
  "constructor",
  "toString",
  "{room}",
  "tópico",
  "日本語/部屋",
  "𠮷".repeat(MAX_TOPIC_LENGTH),
];

export const HOSTILE_TOPICS = HOSTILE_NAMES as readonly Topic[];

/** Payloads that a careless encoding changes, drops or refuses. */
export const HOSTILE_PAYLOADS: readonly Json[] = [
  null,
  true,
  0,
  1e300,
  5e-324,
  "",
  "日本語 👩‍👩‍👧 \u0000 \u2028",
  "\ud800 is half a pair",
  [],
  {},
  [[], [null], {}],
  { "": "", a: null, b: { c: [1, { d: "é" }] } },
  JSON.parse('{"__proto__":{"admin":true},"constructor":1,"nested":{"__proto__":null}}'),
  nested(MAX_JSON_DEPTH),
];

function nested(levels: number): Json {
  return levels === 0 ? "deep" : [nested(levels - 1)];
}
