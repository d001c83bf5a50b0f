import { describe, expect, it } from "@jest/globals";
import { type Json, MAX_BATCH, MAX_CLIENT_FRAME_BYTES, MAX_NAME_LENGTH, parseRequest } from "../src/index.ts";

/** A frame whose fields are these. */
const parse = (fields: Record<string, Json>) => parseRequest(JSON.stringify(fields));

const publish = { action: "publish", topic: "room/1", payload: { x: 1 } };
const published = { action: "publish", topic: "room/1", payloads: [{ x: 1 }], echo: true };

describe("parseRequest takes", () => {
  it.each([
    ["subscribe", { action: "subscribe", topic: "room/1" }],
    ["unsubscribe", { action: "unsubscribe", topic: "room/1" }],
    ["history", { action: "history", topic: "room/1", last: 10 }],
  ])("%s, with and without an id", (_action, request) => {
    expect(parse(request)).toStrictEqual({ ok: true, request });
    expect(parse({ ...request, id: "a1" })).toStrictEqual({ ok: true, request: { ...request, id: "a1" } });
  });

  it.each<[string, Record<string, Json>, Record<string, Json>]>([
    ["a payload", {}, {}],
    ["an id", { id: "a1" }, { id: "a1" }],
    ["`ephemeral: true`", { ephemeral: true }, { ephemeral: true }],
    ["`ephemeral: false`", { ephemeral: false }, { ephemeral: false }],
    ["`latest`, which implies ephemeral", { latest: "position" }, { ephemeral: true, latest: "position" }],
    [
      "`latest` beside `ephemeral: true`",
      { latest: "position", ephemeral: true },
      { ephemeral: true, latest: "position" },
    ],
    ["a key", { key: "k1" }, { key: "k1" }],
    ["the longest key", { key: "語".repeat(64) }, { key: "語".repeat(64) }],
    ["`echo: false` with an id", { echo: false, id: "a1" }, { echo: false, id: "a1" }],
    ["`echo: true` without one", { echo: true }, {}],
    ["fields that it doesn't know", { mood: "fine", from: "mallory" }, {}],
  ])("a publish with %s", (_what, fields, expected) => {
    expect(parse({ ...publish, ...fields })).toStrictEqual({ ok: true, request: { ...published, ...expected } });
  });

  it.each<[Json]>([[null], [false], [0], [""], [[]], [[1, 2]], [{}]])("the payload %j", (payload) => {
    expect(parse({ ...publish, payload })).toStrictEqual({ ok: true, request: { ...published, payloads: [payload] } });
  });

  it.each([1, MAX_BATCH])("a batch of %d", (count) => {
    const payloads = Array.from({ length: count }, (_, i) => i);

    expect(parse({ action: "publish", topic: "room/1", payloads })).toStrictEqual({
      ok: true,
      request: { ...published, payloads },
    });
  });

  it("the longest id", () => {
    const id = "x".repeat(MAX_NAME_LENGTH);

    expect(parse({ action: "ping", id })).toStrictEqual({ ok: true, request: { action: "ping", places: [], id } });
  });

  it("a payload whose keys are those of every object", () => {
    const payload = '{"__proto__":{"polluted":1},"constructor":2}';
    const parsed = parseRequest(`{"action":"publish","topic":"room/1","payload":${payload}}`);

    expect(JSON.stringify(parsed.ok && "payloads" in parsed.request && parsed.request.payloads)).toBe(`[${payload}]`);
    expect(Object.prototype).not.toHaveProperty("polluted");
  });
});

describe("parseRequest refuses", () => {
  it.each([
    ["nothing", "", "This is not JSON."],
    ["what is not JSON", "{action:ping}", "This is not JSON."],
    ["JSON that nests too deep", "[".repeat(101) + "]".repeat(101), "This JSON nests deeper than 100 levels."],
    ["null", "null", "A request is a JSON object"],
    ["a list", '[{"action":"ping"}]', "A request is a JSON object"],
    ["a string", '"ping"', "A request is a JSON object"],
    ["a number", "7", "A request is a JSON object"],
    ["no action", "{}", "`action` is missing."],
    ["an action that is only inherited", '{"__proto__":{"action":"ping"}}', "`action` is missing."],
    ["an action that is not a string", '{"action":["ping"]}', "`action` must be a string."],
    ["an action of null", '{"action":null}', "`action` must be a string."],
  ])("%s", (_what, body, message) => {
    expect(parseRequest(body)).toStrictEqual({
      ok: false,
      fault: { code: "bad_request", message: expect.stringContaining(message) },
      head: {},
    });
  });

  it.each([
    "dance",
    "",
    "PING",
    "presence",
    "$connect",
    "$disconnect",
    "$default",
    "__proto__",
    "constructor",
    "toString",
  ])("the action %j and says which there are", (action) => {
    const message = "`action` must be one of: subscribe, unsubscribe, publish, history, ping.";

    expect(parse({ action, id: "a1", topic: "room/1" })).toStrictEqual({
      ok: false,
      fault: { code: "unknown_action", message },
      head: { id: "a1", topic: "room/1" },
    });
  });

  it.each(["subscribe", "unsubscribe", "publish", "history"])(
    "%s without a topic, or with one that can't be",
    (action) => {
      const parseTopicOf = (fields: Record<string, Json>) => parse({ action, payload: 1, id: "a1", ...fields });
      const head = { id: "a1", action };

      expect(parseTopicOf({})).toStrictEqual({
        ok: false,
        fault: { code: "bad_request", message: "`topic` is missing." },
        head,
      });
      expect(parseTopicOf({ topic: 7 })).toStrictEqual({
        ok: false,
        fault: { code: "bad_request", message: "`topic` must be a string." },
        head,
      });
      expect(parseTopicOf({ topic: "x".repeat(201) })).toStrictEqual({
        ok: false,
        fault: { code: "invalid_topic", message: "`topic` is longer than 200 characters." },
        head,
      });
      expect(parseTopicOf({ topic: "cafe\u0301" })).toStrictEqual({
        ok: false,
        fault: { code: "invalid_topic", message: expect.stringMatching(/^`topic` .*NFC/) },
        head,
      });
    },
  );

  const name = "must be a string of 1 to 64 characters.";
  const list = "must be a list of 1 to 100.";
  it.each<[Record<string, Json>, string]>([
    [{ id: 7 }, `\`id\` ${name}`],
    [{ id: null }, `\`id\` ${name}`],
    [{ id: "" }, `\`id\` ${name}`],
    [{ id: "x".repeat(65) }, `\`id\` ${name}`],
    [{ latest: true }, `\`latest\` ${name}`],
    [{ latest: "" }, `\`latest\` ${name}`],
    [{ latest: "x".repeat(65) }, `\`latest\` ${name}`],
    [{ latest: "position", ephemeral: false }, "`latest` implies `ephemeral`; leave `ephemeral: false` out."],
    [{ key: 7 }, `\`key\` ${name}`],
    [{ key: "" }, `\`key\` ${name}`],
    [{ key: "x".repeat(65) }, `\`key\` ${name}`],
    [{ ephemeral: "yes" }, "`ephemeral` must be true or false."],
    [{ ephemeral: null }, "`ephemeral` must be true or false."],
    [{ echo: 0, id: "a1" }, "`echo` must be true or false."],
    [{ echo: false }, "`echo: false` needs an `id`"],
    [{ payloads: [1] }, "`payload` and `payloads` exclude each other"],
    [{ payloads: {} }, `\`payloads\` ${list}`],
    [{ payloads: null }, `\`payloads\` ${list}`],
    [{ payloads: [] }, `\`payloads\` ${list}`],
  ])("a publish with %j", (fields, message) => {
    const head = { action: "publish", topic: "room/1", ...(fields.id === "a1" && { id: "a1" }) };

    expect(parse({ ...publish, ...fields })).toStrictEqual({
      ok: false,
      fault: { code: "bad_request", message: expect.stringContaining(message) },
      head,
    });
  });

  it("a batch of one too many", () => {
    expect(parse({ action: "publish", topic: "room/1", payloads: Array(MAX_BATCH + 1).fill(0) })).toMatchObject({
      ok: false,
      fault: { code: "bad_request", message: `\`payloads\` ${list}` },
    });
  });

  it("a publish of nothing", () => {
    expect(parse({ action: "publish", topic: "room/1" })).toMatchObject({
      ok: false,
      fault: { code: "bad_request", message: "`payload` is missing." },
    });
  });

  it.each(["subscribe", "unsubscribe", "history", "ping"])(
    "%s with an id that is too long, and doesn't send it back",
    (action) => {
      expect(parse({ action, topic: "room/1", id: "x".repeat(65) })).toStrictEqual({
        ok: false,
        fault: { code: "bad_request", message: `\`id\` ${name}` },
        head: { action, topic: "room/1" },
      });
    },
  );
});

describe("parseRequest measures", () => {
  const rest = JSON.stringify({ ...publish, payload: "" }).length;
  const tooLarge = (message: string) => ({ code: "payload_too_large", message, limit: MAX_CLIENT_FRAME_BYTES });

  it("the frame: one of the most bytes passes, one more doesn't", () => {
    const payload = "x".repeat(MAX_CLIENT_FRAME_BYTES - rest);

    expect(parse({ ...publish, payload })).toMatchObject({ ok: true });
    expect(parse({ ...publish, payload: `${payload}x` })).toStrictEqual({
      ok: false,
      fault: tooLarge("This frame is 32769 bytes long; at most 32768 are allowed."),
      head: {},
    });
  });

  it("bytes, not characters", () => {
    expect(parse({ ...publish, payload: "語".repeat(11_000) })).toMatchObject({
      ok: false,
      fault: { code: "payload_too_large", message: expect.stringContaining(`This frame is ${33_000 + rest} bytes`) },
    });
  });

  it.each([
    ["payload", "`payload` is", `[${Array(3_000).fill("1e20").join()}]`, 3_000 * 22 + 1],
    ["payloads", "`payloads` are", `[[${Array(3_000).fill("1e20").join()}],1]`, 3_000 * 22 + 2],
  ])("`%s` as it will be sent on: some JSON grows when it is written out", (field, what, json, bytes) => {
    expect(parseRequest(`{"action":"publish","topic":"room/1","id":"a1","${field}":${json}}`)).toStrictEqual({
      ok: false,
      fault: tooLarge(`${what} ${bytes} bytes long; at most 32768 are allowed.`),
      head: { id: "a1", action: "publish", topic: "room/1" },
    });
  });
});
