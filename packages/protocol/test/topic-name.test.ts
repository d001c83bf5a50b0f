import { describe, expect, it } from "@jest/globals";
import { MAX_TOPIC_LENGTH, parseTopic } from "../src/index.ts";

describe("parseTopic", () => {
  it.each([
    ["one letter", "a"],
    ["every punctuation mark that is allowed", "a_b-c.d:e@f=g+h/i"],
    ["segments", "games/42/chat"],
    ["digits", "2026"],
    ["letters of any script", "комната/部屋/غرفة"],
    ["a mark that composes with nothing", "क्षेत्र"],
    ["numbers that are not digits", "room-Ⅷ-½"],
    ["composed accents", "caf\u00e9"],
    ["letters beyond the basic plane", "𐐀𐐁"],
    ["dots inside a segment", "a/.b/c./..d/..."],
    ["a verb that is not the last segment", "messages/1"],
    ["a last segment that begins as a verb does", "room/messages2"],
    ["a verb in capitals", "room/Messages"],
    ["the most characters", "x".repeat(MAX_TOPIC_LENGTH)],
    ["the most characters, of two units each", "𐐀".repeat(MAX_TOPIC_LENGTH)],
  ])("takes %s", (_what, name) => {
    expect(parseTopic(name)).toEqual({ ok: true, value: name });
  });

  it.each([
    ["an empty name", "", "is empty"],
    ["one character too many", "x".repeat(MAX_TOPIC_LENGTH + 1), "longer than 200 characters"],
    ["one character of two units too many", "𐐀".repeat(MAX_TOPIC_LENGTH + 1), "longer than 200 characters"],
    ["a reserved name", "$events", "reserved"],
    ["`$` alone", "$", "reserved"],
    ["`$` further on", "a$b", "may hold only"],
    ["a space", "a b", "no spaces"],
    ["a newline at the end", "a\n", "may hold only"],
    ["a wildcard", "room/*", "may hold only"],
    ["`#`", "a#b", "may hold only"],
    ["`%`", "a%2Fb", "may hold only"],
    ["a backslash", "a\\b", "may hold only"],
    ["an emoji", "party🎉", "may hold only"],
    ["NUL", "a\u0000", "may hold only"],
    ["a joiner that can't be seen", "a\u200db", "may hold only"],
    ["a lone surrogate", "a\ud800", "may hold only"],
    ["accents that are not composed", "cafe\u0301", "NFC"],
    ["a letter that NFC replaces", "\u212b", "NFC"],
    ["a slash at the start", "/a", "empty segment"],
    ["a slash at the end", "a/", "empty segment"],
    ["a slash alone", "/", "empty segment"],
    ["two slashes", "a//b", "empty segment"],
    ["the segment `.`", "a/./b", "segment `.`"],
    ["the segment `..`", "../a", "segment `.` or `..`"],
    ["`messages` at the end", "room/messages", "`messages`"],
    ["`subscribers` at the end", "room/subscribers", "`subscribers`"],
    ["a verb alone", "messages", "`messages`"],
  ])("refuses %s", (_what, name, reason) => {
    const parsed = parseTopic(name);

    expect(parsed).toMatchObject({ ok: false, fault: { code: "invalid_topic" } });
    expect(parsed).toHaveProperty("fault.message", expect.stringContaining(reason));
    expect(parsed).toHaveProperty("fault.message", expect.stringMatching(/^`topic` /));
  });

  it("says that a name is missing", () => {
    expect(parseTopic(undefined)).toEqual({
      ok: false,
      fault: { code: "bad_request", message: "`topic` is missing." },
    });
  });

  it.each([[null], [7], [true], [["a"]], [{ a: 1 }]])("refuses %j, which is not a string", (name) => {
    expect(parseTopic(name)).toEqual({
      ok: false,
      fault: { code: "bad_request", message: "`topic` must be a string." },
    });
  });

  it.each([
    ["missing", undefined],
    ["not a string", 7],
    ["not allowed", "a b"],
  ])("calls the field what the caller calls it where it is %s", (_what, name) => {
    expect(parseTopic(name, "room_id")).toHaveProperty("fault.message", expect.stringMatching(/^`room_id` /));
  });
});
