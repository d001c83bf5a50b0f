import { describe, expect, it } from "@jest/globals";
import { isJsonObject, type Json, MAX_JSON_DEPTH, parseJson, utf8Length } from "../src/index.ts";

const arrays = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const objects = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;

describe("parseJson", () => {
  it.each([
    ["null", null],
    ["true", true],
    ["-1.5e3", -1500],
    ['"a\\u00e9"', "aé"],
    [" [1, 2] ", [1, 2]],
    ['{"a":{"b":[]}}', { a: { b: [] } }],
  ])("parses %s", (text, value) => {
    expect(parseJson(text)).toEqual({ ok: true, value });
  });

  it.each([
    ["nothing", ""],
    ["plain text", "secret"],
    ["a part of an object", '{"a":'],
    ["a comma at the end", "[1,]"],
    ["single quotes", "{'a':1}"],
    ["a byte order mark", "\ufeff{}"],
    ["two values", "{}{}"],
    ["NaN", "NaN"],
  ])("refuses %s and doesn't quote it", (_what, text) => {
    expect(parseJson(text)).toEqual({ ok: false, fault: { code: "bad_request", message: "This is not JSON." } });
  });

  it.each(["1e400", "[-1e999]", '{"a":{"b":[1e309]}}'])("refuses %s, which would be written as null", (text) => {
    const message = "This JSON has a number beyond 1.8e308.";
    expect(parseJson(text)).toEqual({ ok: false, fault: { code: "bad_request", message } });
  });

  it.each([
    ["arrays", arrays],
    ["objects", objects],
  ])("takes the most levels of %s, and not one more", (_what, nest) => {
    expect(parseJson(nest(MAX_JSON_DEPTH))).toMatchObject({ ok: true });
    expect(parseJson(nest(MAX_JSON_DEPTH + 1))).toEqual({
      ok: false,
      fault: { code: "bad_request", message: "This JSON nests deeper than 100 levels." },
    });
  });

  it("finds the deep one of many neighbours", () => {
    expect(parseJson(`[1, [2], {"a": ${arrays(MAX_JSON_DEPTH - 1)}}]`)).toMatchObject({ ok: false });
  });

  it("takes as many levels as the caller says", () => {
    expect(parseJson("[[]]", 2)).toMatchObject({ ok: true });
    expect(parseJson("[[[]]]", 2)).toMatchObject({ ok: false });
  });

  it("keeps `__proto__` a key like any other", () => {
    const parsed = parseJson('{"__proto__":{"admin":true}}');

    expect(parsed).toMatchObject({ ok: true });
    expect(JSON.stringify(parsed.ok && parsed.value)).toBe('{"__proto__":{"admin":true}}');
    expect(parsed.ok && Object.getPrototypeOf(parsed.value)).toBe(Object.prototype);
  });
});

describe("isJsonObject", () => {
  it.each<[Json, boolean]>([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    ["{}", false],
    [0, false],
    [false, false],
  ])("of %j is %j", (value, expected) => {
    expect(isJsonObject(value)).toBe(expected);
  });
});

describe("utf8Length", () => {
  it.each([
    ["nothing", "", 0],
    ["ASCII", "abc\u007f", 4],
    ["two bytes, the first and the last", "\u0080\u07ff", 4],
    ["three bytes, the first and the last", "\u0800\uffff", 6],
    ["four bytes", "🎉", 4],
    ["a lone high surrogate", "\ud83c", 3],
    ["a lone high surrogate and a letter", "\ud83ca", 4],
    ["a lone high surrogate and a letter of two bytes", "\ud83cé", 5],
    ["a lone low surrogate", "\udf89", 3],
    ["surrogates in the wrong order", "\udf89\ud83c", 6],
    ["a high surrogate before a pair", "\ud83c🎉", 7],
  ])("of %s", (_what, text, bytes) => {
    expect(utf8Length(text)).toBe(bytes);
    expect(utf8Length(text)).toBe(Buffer.byteLength(text));
  });
});
