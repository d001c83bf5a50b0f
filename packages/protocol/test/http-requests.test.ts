import { describe, expect, it } from "@jest/globals";
import {
  type Json,
  MAX_BATCH,
  MAX_HTTP_BODY_BYTES,
  MAX_HTTP_PAYLOAD_BYTES,
  parseHttpPublish,
  parseHttpPublishMany,
} from "../src/index.ts";

const parse = (fields: Record<string, Json>) => parseHttpPublish("room/1", JSON.stringify(fields));
const parseMany = (messages: Json) => parseHttpPublishMany(JSON.stringify({ messages }));
const refused = (code: string, message: string, limit?: number) => ({
  ok: false,
  fault: { code, message: expect.stringContaining(message), ...(limit !== undefined && { limit }) },
});

const bodyFaults: [string, string, string][] = [
  ["nothing", "", "This is not JSON."],
  ["what is not JSON", "payload=1", "This is not JSON."],
  ["JSON that nests too deep", `{"payload":${"[".repeat(100)}${"]".repeat(100)}}`, "deeper than 100 levels"],
  ["null", "null", "The body must be a JSON object."],
  ["a list", "[1]", "The body must be a JSON object."],
  ["a string", '"hi"', "The body must be a JSON object."],
];

describe("parseHttpPublish", () => {
  const published = { topic: "room/1", payloads: [{ x: 1 }] };

  it.each<[string, Record<string, Json>, Record<string, Json>]>([
    ["a payload", {}, {}],
    ["`ephemeral: false`", { ephemeral: false }, { ephemeral: false }],
    ["a key", { key: "k1" }, { key: "k1" }],
    ["`ephemeral: true`", { ephemeral: true }, { ephemeral: true }],
    ["`latest`, which implies ephemeral", { latest: "score" }, { ephemeral: true, latest: "score" }],
    ["`from`", { from: "jobs" }, { from: "jobs" }],
    ["the longest `from`", { from: "x".repeat(64) }, { from: "x".repeat(64) }],
    ["another topic in the body, which it ignores", { topic: "room/2" }, {}],
  ])("takes %s", (_what, fields, expected) => {
    expect(parse({ payload: { x: 1 }, ...fields })).toStrictEqual({ ok: true, value: { ...published, ...expected } });
  });

  it("takes a payload of null", () => {
    expect(parse({ payload: null })).toStrictEqual({ ok: true, value: { ...published, payloads: [null] } });
  });

  it.each([1, MAX_BATCH])("takes a batch of %d", (count) => {
    const payloads = Array.from({ length: count }, (_, i) => i);

    expect(parse({ payloads })).toStrictEqual({ ok: true, value: { ...published, payloads } });
  });

  it.each(bodyFaults)("refuses %s", (_what, body, message) => {
    expect(parseHttpPublish("room/1", body)).toStrictEqual(refused("bad_request", message));
  });

  const name = "must be a string of 1 to 64 characters.";
  const list = "must be a list of 1 to 100.";
  it.each<[Record<string, Json>, string]>([
    [{}, "`payload` is missing."],
    [{ payload: 1, payloads: [1] }, "`payload` and `payloads` exclude each other"],
    [{ payloads: "all" }, `\`payloads\` ${list}`],
    [{ payloads: [] }, `\`payloads\` ${list}`],
    [{ payload: 1, ephemeral: 1 }, "`ephemeral` must be true or false."],
    [{ payload: 1, latest: 1 }, `\`latest\` ${name}`],
    [{ payload: 1, from: null }, `\`from\` ${name}`],
    [{ payload: 1, from: "" }, `\`from\` ${name}`],
    [{ payload: 1, from: "x".repeat(65) }, `\`from\` ${name}`],
    [{ payload: 1, key: "" }, `\`key\` ${name}`],
    [{ payload: 1, latest: "score", ephemeral: false }, "`latest` implies `ephemeral`"],
  ])("refuses %j", (fields, message) => {
    expect(parse(fields)).toStrictEqual(refused("bad_request", message));
  });

  it("takes a key from the header, and from both where they agree", () => {
    const expected = { ok: true, value: { topic: "a", payloads: [1], key: "k1" } };

    expect(parseHttpPublish("a", '{"payload":1}', "k1")).toStrictEqual(expected);
    expect(parseHttpPublish("a", '{"payload":1,"key":"k1"}', "k1")).toStrictEqual(expected);
    expect(parseHttpPublish("a", '{"payload":1,"key":"k1"}', undefined)).toStrictEqual(expected);
  });

  it.each([
    ["that differ", '{"payload":1,"key":"k1"}', "k2", "`key` and the header `Idempotency-Key` differ"],
    ["of which the header is empty", '{"payload":1}', "", `\`Idempotency-Key\` ${name}`],
    ["of which the header is too long", '{"payload":1}', "x".repeat(65), `\`Idempotency-Key\` ${name}`],
  ])("refuses keys %s", (_what, body, header, message) => {
    expect(parseHttpPublish("a", body, header)).toStrictEqual(refused("bad_request", message));
  });

  it("refuses a batch of one too many", () => {
    expect(parse({ payloads: Array(MAX_BATCH + 1).fill(0) })).toStrictEqual(
      refused("bad_request", `\`payloads\` ${list}`),
    );
  });

  it.each([
    ["empty", ""],
    ["too long", "x".repeat(201)],
    ["not NFC", "cafe\u0301"],
    ["reserved", "$events"],
    ["a verb of the path", "room/subscribers"],
  ])("refuses a topic that is %s", (_what, topic) => {
    expect(parseHttpPublish(topic, '{"payload":1}')).toStrictEqual(refused("invalid_topic", "`topic`"));
  });

  it("takes payloads of the most bytes, and not one more", () => {
    const largest = "x".repeat(MAX_HTTP_PAYLOAD_BYTES - 2);
    const message = "`payload` is 98305 bytes long; at most 98304 are allowed.";

    expect(parse({ payload: largest })).toMatchObject({ ok: true });
    expect(parse({ payload: `${largest}x` })).toStrictEqual(
      refused("payload_too_large", message, MAX_HTTP_PAYLOAD_BYTES),
    );
  });

  it("measures a batch together, in bytes", () => {
    const half = "語".repeat(16_384);
    const message = "`payloads` are 98308 bytes long; at most 98304 are allowed.";

    expect(parse({ payloads: [half, half] })).toStrictEqual(
      refused("payload_too_large", message, MAX_HTTP_PAYLOAD_BYTES),
    );
  });

  it("refuses a body that is too large before it is parsed", () => {
    const body = "{".repeat(MAX_HTTP_BODY_BYTES + 1);
    const message = "This body is 196609 bytes long; at most 196608 are allowed.";

    expect(parseHttpPublish("room/1", body)).toStrictEqual(refused("payload_too_large", message, MAX_HTTP_BODY_BYTES));
    expect(parseHttpPublish("room/1", body.slice(1))).toStrictEqual(refused("bad_request", "This is not JSON."));
  });
});

describe("parseHttpPublishMany", () => {
  it("parses each message, in order", () => {
    expect(
      parseMany([
        { topic: "a", payload: 1 },
        { topic: "b", payloads: [2, 3], ephemeral: true, from: "jobs", key: "k1" },
      ]),
    ).toStrictEqual({
      ok: true,
      value: [
        { ok: true, value: { topic: "a", payloads: [1] } },
        { ok: true, value: { topic: "b", payloads: [2, 3], ephemeral: true, from: "jobs", key: "k1" } },
      ],
    });
  });

  it.each<[string, Json, string, string]>([
    ["is not an object", 7, "bad_request", "an object with `topic` and `payload`"],
    ["is a list", [], "bad_request", "an object with `topic` and `payload`"],
    ["has no topic", { payload: 1 }, "bad_request", "`topic` is missing."],
    ["has a topic that is too long", { topic: "x".repeat(201), payload: 1 }, "invalid_topic", "`topic`"],
    ["has no payload", { topic: "a" }, "bad_request", "`payload` is missing."],
    ["has a wrong field", { topic: "a", payload: 1, from: 7 }, "bad_request", "`from`"],
    ["has a wrong key", { topic: "a", payload: 1, key: 7 }, "bad_request", "`key`"],
  ])("refuses only the message that %s", (_what, message, code, text) => {
    expect(parseMany([{ topic: "a", payload: 1 }, message, { topic: "b", payload: 2 }])).toMatchObject({
      ok: true,
      value: [{ ok: true }, refused(code, text), { ok: true }],
    });
  });

  it.each(bodyFaults)("refuses %s", (_what, body, message) => {
    expect(parseHttpPublishMany(body)).toStrictEqual(refused("bad_request", message));
  });

  it("refuses a body without messages", () => {
    expect(parseHttpPublishMany("{}")).toStrictEqual(refused("bad_request", "`messages` is missing."));
  });

  it.each<[string, Json]>([
    ["null", null],
    ["an object", {}],
    ["none", []],
    ["one too many", Array(MAX_BATCH + 1).fill({ topic: "a", payload: 1 })],
  ])("refuses messages that are %s", (_what, messages) => {
    expect(parseMany(messages)).toStrictEqual(refused("bad_request", "`messages` must be a list of 1 to 100."));
  });

  it("takes 100 messages", () => {
    expect(parseMany(Array(MAX_BATCH).fill({ topic: "a", payload: 1 }))).toMatchObject({ ok: true });
  });

  it("takes payloads of the most bytes together, and not one more", () => {
    const half = "x".repeat(MAX_HTTP_PAYLOAD_BYTES / 2 - 2);
    const messages = (second: string) => [
      { topic: "a", payload: half },
      { topic: "b", payload: second },
    ];
    const message = "All payloads together are 98305 bytes long; at most 98304 are allowed.";

    expect(parseMany(messages(half))).toMatchObject({ ok: true, value: [{ ok: true }, { ok: true }] });
    expect(parseMany(messages(`${half}x`))).toStrictEqual(
      refused("payload_too_large", message, MAX_HTTP_PAYLOAD_BYTES),
    );
  });

  it("refuses only the message that is too large by itself", () => {
    expect(
      parseMany([
        { topic: "a", payload: "x".repeat(MAX_HTTP_PAYLOAD_BYTES) },
        { topic: "b", payload: 1 },
      ]),
    ).toMatchObject({ ok: true, value: [refused("payload_too_large", "`payload` is"), { ok: true }] });
  });

  it("refuses a body that is too large before it is parsed", () => {
    const body = "[".repeat(MAX_HTTP_BODY_BYTES + 1);

    expect(parseHttpPublishMany(body)).toStrictEqual(refused("payload_too_large", "This body is", MAX_HTTP_BODY_BYTES));
  });
});
