import { describe, expect, it } from "@jest/globals";
import { matchesTopic, parseTopicPattern, type Topic, type TopicPattern } from "../src/index.ts";

describe("parseTopicPattern", () => {
  it.each(["*", "room/*", "a/b/c/*", "lobby", "room/1", "messages/*", "部屋/*"])("takes %s", (text) => {
    expect(parseTopicPattern(text)).toEqual({ ok: true, value: text });
  });

  it.each([
    ["", "is empty"],
    ["**", "may hold `*` only as its last segment, as in room/*."],
    ["room/**", "may hold `*` only"],
    ["room*", "may hold `*` only"],
    ["room/a*", "may hold `*` only"],
    ["*/room", "may hold `*` only"],
    ["*/*", "may hold `*` only"],
    ["room/*/", "may hold `*` only"],
    ["/*", "has an empty segment"],
    ["room//*", "has an empty segment"],
    ["room/", "has an empty segment"],
    ["../*", "has a segment `.` or `..`"],
    ["$a/*", "begins with `$`"],
    ["a b/*", "may hold only letters"],
    ["cafe\u0301/*", "NFC"],
    ["room/messages", "ends with the segment `messages`"],
    [`${"x".repeat(199)}/*`, "longer than 200 characters"],
  ])("refuses %j", (text, reason) => {
    expect(parseTopicPattern(text, "rule 1")).toEqual({
      ok: false,
      fault: { code: "invalid_topic", message: expect.stringMatching(/^`rule 1` /) },
    });
    expect(parseTopicPattern(text)).toHaveProperty("fault.message", expect.stringContaining(reason));
  });
});

describe("matchesTopic", () => {
  it.each([
    ["*", "lobby", true],
    ["*", "room/1/x", true],
    ["lobby", "lobby", true],
    ["lobby", "lobby/1", false],
    ["lobby", "lobb", false],
    ["room/*", "room/1", true],
    ["room/*", "room/1/x", true],
    ["room/*", "room", false],
    ["room/*", "room/", false],
    ["room/*", "rooms/1", false],
    ["room/*", "a/room/1", false],
    ["a/b/*", "a/b/c", true],
    ["a/b/*", "a/c/b", false],
    ["a.b/*", "axb/c", false],
  ])("%s and %s: %j", (pattern, topic, expected) => {
    expect(matchesTopic(pattern as TopicPattern, topic as Topic)).toBe(expected);
  });
});
