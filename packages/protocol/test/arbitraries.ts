import fc from "fast-check";
import { type Json, MAX_BATCH, MAX_NAME_LENGTH, MAX_TOPIC_LENGTH, type Message } from "../src/index.ts";

const FIELDS = [
  "action",
  "id",
  "topic",
  "payload",
  "payloads",
  "messages",
  "ephemeral",
  "latest",
  "echo",
  "from",
  "key",
  "since",
  "last",
  "limit",
  "places",
  "epoch",
  "seq",
];
const MARKS = ["_me", "_now", "_from", "_seq", "_epoch"];
const INHERITED = ["__proto__", "constructor", "prototype", "toString", "toJSON", "length", "hasOwnProperty"];
const ACTIONS = ["subscribe", "unsubscribe", "publish", "ping", "history", "presence", "$connect"];

/** Any string at all, lone surrogates among them. */
export const anyString = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

const key = fc.oneof(fc.constantFrom(...FIELDS, ...MARKS, ...INHERITED), anyString);

function objectText(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;
}

/** JSON as text, because text can say what no value can: a key twice, `__proto__`, `-0`, `1e20`, a number beyond a double. */
export const { json: jsonText } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom("null", "true", "false", "0", "-0", "1e20", "5e-324", "1e400", "12345678901234567890", '"ping"'),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
      anyString.map((string) => JSON.stringify(string)),
    ),
    fc.array(tie("json"), { maxLength: 4 }).map((items) => `[${items.join()}]`),
    fc.array(fc.tuple(key, tie("json")), { maxLength: 5 }).map(objectText),
  ),
}));

export const jsonValue: fc.Arbitrary<Json> = jsonText.map((text) => JSON.parse(text));

/** Arrays or objects around each other, often around the limit, closed or not. */
const nested = fc
  .tuple(fc.constantFrom(["[", "]"], ['{"a":', "}"]), fc.integer({ min: 90, max: 110 }), fc.boolean())
  .map(([[open = "", close = ""], levels, closed]) => `${open.repeat(levels)}1${closed ? close.repeat(levels) : ""}`);

/** A name that is a topic's, in scripts of one and two units. */
export const topic = fc
  .array(fc.string({ unit: fc.constantFrom(..."abZ09_-:@=+é語𐐀"), minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((segments) => segments.join("/"));

function mostly<T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>, weight = 12): fc.Arbitrary<T> {
  return fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: rare });
}

const written = <T>(value: T) => JSON.stringify(value);
const anyTopic = fc.oneof(topic, anyString, fc.constantFrom("$a", "a/../b", "a//b", "x".repeat(MAX_TOPIC_LENGTH + 1)));
const flagText = mostly(fc.constantFrom("true", "false"), jsonText);
const nameText = mostly(
  fc.string({ unit: "binary", minLength: 1, maxLength: MAX_NAME_LENGTH / 2 }).map(written),
  jsonText,
);
const payloadText = mostly(jsonText, nested, 20);
const batchText = fc.array(payloadText, { minLength: 1, maxLength: 3 }).map((items) => `[${items.join()}]`);

const wholeText = mostly(
  fc.oneof(fc.integer({ min: -1, max: 102 }), fc.integer({ min: 995, max: 1_005 }), fc.maxSafeInteger()).map(written),
  jsonText,
);
const placeText = mostly(
  fc.tuple(nameText, wholeText).map(([epoch, seq]) =>
    objectText([
      ["epoch", epoch],
      ["seq", seq],
    ]),
  ),
  jsonText,
);
const placesText = mostly(
  fc.array(fc.tuple(mostly(topic, key, 20), placeText), { maxLength: 3 }).map(objectText),
  jsonText,
);

const requestMembers = fc.record(
  {
    action: mostly(fc.constant("publish"), fc.constantFrom(...ACTIONS), 3).map(written),
    topic: mostly(topic, anyTopic).map(written),
    id: nameText,
    ephemeral: flagText,
    echo: flagText,
    latest: nameText,
    from: nameText,
    key: nameText,
    since: placeText,
    last: wholeText,
    limit: wholeText,
    places: placesText,
  },
  { requiredKeys: ["action", "topic"] },
);
const payloadMembers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ payload: payloadText }) },
  { weight: 6, arbitrary: fc.record({ payloads: batchText }) },
  { weight: 1, arbitrary: fc.record({ payload: payloadText, payloads: jsonText }, { requiredKeys: [] }) },
);

/** What is a request, but for a detail or two: it reaches the checks that no random text would. */
export const requestText = fc
  .tuple(requestMembers, payloadMembers)
  .map(([request, payload]) => objectText(Object.entries({ ...request, ...payload })));
export const manyText = fc
  .array(mostly(requestText, jsonText), { minLength: 1, maxLength: 5 })
  .map((messages) => `{"messages":[${messages.join()}]}`);

/** What anyone may send. */
export const hostileText = fc.oneof(anyString, jsonText, nested, anyTopic, requestText, manyText);

export const message: fc.Arbitrary<Message> = fc.record(
  { seq: fc.nat(), payload: jsonValue, from: anyString, time: fc.nat(), key: anyString },
  { requiredKeys: ["payload", "time"] },
);
/** The query of an HTTP request for history, mostly near what is right. */
export const historyQuery = fc.record(
  {
    epoch: anyString,
    seq: fc.oneof(fc.maxSafeInteger().map(String), anyString),
    last: fc.oneof(fc.integer({ min: -1, max: 102 }).map(String), anyString),
    limit: fc.oneof(fc.integer({ min: -1, max: 1_002 }).map(String), anyString),
  },
  { requiredKeys: [] },
);
export const messages = fc.array(message, { maxLength: MAX_BATCH });
