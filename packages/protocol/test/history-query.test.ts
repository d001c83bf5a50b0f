import { describe, expect, it } from "@jest/globals";
import { DEFAULT_PAGE_LIMIT, MAX_PAGE_LIMIT, parseHistoryQuery, parseSince } from "../src/index.ts";

const place = { epoch: "k3f9", seq: 58 };

describe("parseHistoryQuery", () => {
  it.each([
    ["a place", { epoch: "k3f9", seq: "58" }, { since: place, limit: DEFAULT_PAGE_LIMIT }],
    ["the place before the first", { epoch: "k3f9", seq: "0" }, { since: { ...place, seq: 0 }, limit: 100 }],
    ["a limit", { epoch: "k3f9", seq: "58", limit: "1000" }, { since: place, limit: MAX_PAGE_LIMIT }],
    ["the newest", { last: "1" }, { last: 1 }],
    ["the most of the newest", { last: "1000", cursor: "x" }, { last: 1_000 }],
    ["the lower of two bounds", { last: "7", limit: "5" }, { last: 5 }],
    ["absent ones", { epoch: undefined, seq: undefined, last: "7", limit: undefined }, { last: 7 }],
  ])("takes %s", (_what, query, value) => {
    expect(parseHistoryQuery(query)).toStrictEqual({ ok: true, value });
  });

  const seq = "`seq` must be a whole number from 0 to 9007199254740991.";
  it.each([
    [{}, "`last` and `epoch` and `seq` are missing: give `last` for the newest messages or `epoch` and `seq` for all"],
    [{ limit: "5" }, "`last` and `epoch` and `seq` are missing"],
    [{ epoch: "k3f9" }, "`seq` is missing: `epoch` and `seq` are a place together."],
    [{ seq: "58", last: "5" }, "`epoch` is missing: `epoch` and `seq` are a place together."],
    [{ epoch: "k3f9", seq: "58", last: "5" }, "`last` excludes `epoch` and `seq`"],
    [{ epoch: "", seq: "58" }, "`epoch` must be a string of 1 to 64 characters."],
    [{ epoch: "k3f9", seq: "" }, seq],
    [{ epoch: "k3f9", seq: "-1" }, seq],
    [{ epoch: "k3f9", seq: "1e3" }, seq],
    [{ epoch: "k3f9", seq: " 1" }, seq],
    [{ epoch: "k3f9", seq: "9007199254740992" }, seq],
    [{ epoch: "k3f9", seq: "1".repeat(400) }, seq],
    [{ last: "0" }, "`last` must be a whole number from 1 to 1000."],
    [{ last: "1001" }, "`last` must be a whole number from 1 to 1000."],
    [{ epoch: "k3f9", seq: "58", limit: "1001" }, "`limit` must be a whole number from 1 to 1000."],
  ])("refuses %j", (query, message) => {
    expect(parseHistoryQuery(query)).toStrictEqual({
      ok: false,
      fault: { code: "bad_request", message: expect.stringContaining(message) },
    });
  });
});

describe("parseSince", () => {
  it.each([
    ["k3f9:58", place],
    ["k3f9:0", { epoch: "k3f9", seq: 0 }],
    ["-_Az09:7", { epoch: "-_Az09", seq: 7 }],
    ["9:9007199254740991", { epoch: "9", seq: Number.MAX_SAFE_INTEGER }],
    [`${"x".repeat(64)}:1`, { epoch: "x".repeat(64), seq: 1 }],
  ])("takes %s", (text, value) => {
    expect(parseSince(text)).toStrictEqual({ ok: true, value });
  });

  it.each([
    "",
    ":",
    "k3f9",
    "k3f9:",
    ":58",
    "58",
    "k3f9:58:1",
    "k3:f9:58",
    "k3f9:-1",
    "k3f9:1.5",
    "k3f9: 1",
    "k3f9:58\n",
    "k3f9:9007199254740992",
    `${"x".repeat(65)}:1`,
    "k 3:1",
  ])("refuses %j", (text) => {
    expect(parseSince(text)).toStrictEqual({
      ok: false,
      fault: { code: "bad_request", message: expect.stringMatching(/^`since` must be .* such as k3f9:58\.$/) },
    });
  });
});
