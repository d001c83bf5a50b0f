import { describe, expect, it } from "@jest/globals";
import {
  type BroadcastMarks,
  DEFAULT_ROOM,
  encodeBroadcast,
  isBroadcastPing,
  MAX_CLIENT_FRAME_BYTES,
  MAX_SERVER_FRAME_BYTES,
  parseBroadcast,
  parseTopic,
  wrapBroadcast,
} from "../src/index.ts";

const marks: BroadcastMarks = { _me: true, _now: 1_700_000_000_000, _from: "alice", _seq: 58, _epoch: "k3f9" };

/** What a receiver reads of what a sender sent. */
function broadcast(body: string, own: BroadcastMarks = marks): unknown {
  return JSON.parse(encodeBroadcast(wrapBroadcast(body), own));
}

it("has a default room whose name is a topic's", () => {
  expect(parseTopic(DEFAULT_ROOM)).toEqual({ ok: true, value: "lobby" });
});

describe("a broadcast", () => {
  it("of a JSON object is that object with the marks added", () => {
    expect(broadcast('{"type":"act","payload":"left"}')).toEqual({ type: "act", payload: "left", ...marks });
  });

  it.each([
    ["plain text", "hi there", "hi there"],
    ["nothing", "", ""],
    ["what is almost JSON", '{"a":1', '{"a":1'],
    ["a JSON string", '"hi"', "hi"],
    ["a JSON array", '[1,{"a":2}]', [1, { a: 2 }]],
    ["a JSON number", " 7 ", 7],
    ["a JSON boolean", "false", false],
    ["null", "null", null],
    ["text with lone surrogates", "\ud800", "\ud800"],
    ["JSON too deep to be touched", "[".repeat(200) + "]".repeat(200), "[".repeat(200) + "]".repeat(200)],
  ])("of %s has it under `data`", (_what, body, data) => {
    expect(broadcast(body)).toEqual({ data, ...marks });
  });

  it("of an object with `data` is not wrapped again", () => {
    expect(broadcast('{"data":1}')).toEqual({ data: 1, ...marks });
  });

  it.each(["_me", "_now", "_from", "_seq", "_epoch"])("overwrites a forged `%s`", (key) => {
    expect(broadcast(`{"x":1,"${key}":"forged"}`)).toEqual({ x: 1, ...marks });
    expect(encodeBroadcast(wrapBroadcast(`{"${key}":"forged"}`), marks)).not.toContain("forged");
  });

  it("of a backend without a name has no `_from`, not even a forged one", () => {
    const { _from, ...nameless } = marks;

    expect(broadcast('{"x":1,"_from":"alice"}', nameless)).toEqual({ x: 1, ...nameless });
  });

  it("leaves marks inside the payload alone", () => {
    expect(broadcast('{"inner":{"_me":1}}')).toEqual({ inner: { _me: 1 }, ...marks });
  });

  it.each(["__proto__", "constructor", "prototype", "toJSON", "hasOwnProperty"])(
    "carries the key `%s` as data",
    (key) => {
      const text = encodeBroadcast(wrapBroadcast(`{"${key}":{"_me":false,"polluted":1}}`), marks);

      expect(text).toContain(`{"${key}":{"_me":false,"polluted":1},`);
      expect(JSON.parse(text)).toMatchObject({ ...marks });
      expect(Object.prototype).not.toHaveProperty("polluted");
    },
  );

  it("doesn't change what was sent: the next receiver gets other marks", () => {
    const wrapped = wrapBroadcast('{"x":1}');
    encodeBroadcast(wrapped, marks);

    expect(JSON.parse(encodeBroadcast(wrapped, { ...marks, _me: false }))).toEqual({ x: 1, ...marks, _me: false });
  });
});

describe("parseBroadcast", () => {
  const parse = (body: string) => parseBroadcast(body, MAX_CLIENT_FRAME_BYTES);

  it.each([
    ["an object", '{"x":1}', { x: 1 }],
    ["plain text", "hi", { data: "hi" }],
    ["nothing", "", { data: "" }],
    ["text of the most bytes", "x".repeat(MAX_CLIENT_FRAME_BYTES), { data: "x".repeat(MAX_CLIENT_FRAME_BYTES) }],
    ["quotes, which double", '"'.repeat(MAX_CLIENT_FRAME_BYTES), { data: '"'.repeat(MAX_CLIENT_FRAME_BYTES) }],
  ])("takes %s", (_what, body, value) => {
    expect(parse(body)).toEqual({ ok: true, value });
  });

  it.each([
    ["one byte too many", "x".repeat(MAX_CLIENT_FRAME_BYTES + 1), "This message is 32769 bytes"],
    ["too many bytes of few characters", "語".repeat(11_000), "This message is 33000 bytes"],
  ])("refuses %s", (_what, body, message) => {
    expect(parse(body)).toEqual({
      ok: false,
      fault: { code: "payload_too_large", message: expect.stringContaining(message), limit: MAX_CLIENT_FRAME_BYTES },
    });
  });

  it.each([
    ["control characters", "\u0000".repeat(MAX_CLIENT_FRAME_BYTES)],
    ["numbers with exponents", `[${Array(6_500).fill("1e20").join()}]`],
  ])("refuses %s that outgrow a frame when they are written as JSON", (_what, body) => {
    const message = expect.stringMatching(/^Written as JSON, this message is 1\d{5} bytes/);

    expect(parse(body)).toMatchObject({ ok: false, fault: { code: "payload_too_large", message } });
  });

  it("measures that in bytes, not characters", () => {
    expect(parseBroadcast("語".repeat(43_600), MAX_SERVER_FRAME_BYTES)).toMatchObject({
      ok: false,
      fault: { message: expect.stringContaining("this message is 130811 bytes") },
    });
  });

  it("leaves room for the marks", () => {
    const largest = "x".repeat(MAX_SERVER_FRAME_BYTES - 1024 - '{"data":""}'.length);
    const parsed = parseBroadcast(largest, MAX_SERVER_FRAME_BYTES);
    if (!parsed.ok) throw new Error(parsed.fault.message);
    const text = encodeBroadcast(parsed.value, { ...marks, _from: "x".repeat(64), _seq: Number.MAX_SAFE_INTEGER });

    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_SERVER_FRAME_BYTES);
  });
});

describe("isBroadcastPing", () => {
  it.each([
    ["ping", true],
    ['{"action":"ping"}', true],
    [' { "action" : "ping" } ', true],
    ["Ping", false],
    ["ping ", false],
    ['"ping"', false],
    ['["ping"]', false],
    ['{"data":"ping"}', false],
    ['{"action":"pong"}', false],
    ['{"action":["ping"]}', false],
    ['{"__proto__":{"action":"ping"}}', false],
    ["", false],
  ])("of %s is %j", (body, expected) => {
    expect(isBroadcastPing(body, wrapBroadcast(body))).toBe(expected);
  });
});
