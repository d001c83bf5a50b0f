import { describe, expect, it } from "@jest/globals";
import {
  DEFAULT_PAGE_LIMIT,
  type Json,
  MAX_PAGE_LIMIT,
  MAX_PLACES,
  MAX_SUBSCRIBE_LAST,
  parseRequest,
} from "../src/index.ts";

/** A frame whose fields are these. */
const parse = (fields: Record<string, Json>) => parseRequest(JSON.stringify(fields));

const place = { epoch: "k3f9", seq: 58 };

describe("parseRequest takes", () => {
  it.each<[string, Record<string, Json>, Record<string, Json>]>([
    ["a place", { since: place }, { since: place }],
    ["a place before the first message", { since: { epoch: "a", seq: 0 } }, { since: { epoch: "a", seq: 0 } }],
    ["a place with more than a place", { since: { ...place, mood: "fine" } }, { since: place }],
    ["the newest message", { last: 1 }, { last: 1 }],
    ["the newest messages", { last: MAX_SUBSCRIBE_LAST }, { last: MAX_SUBSCRIBE_LAST }],
    ["a limit, which is only history's", { limit: 5 }, {}],
  ])("a subscribe with %s", (_what, fields, expected) => {
    const subscribe = { action: "subscribe", topic: "room/1" };

    expect(parse({ ...subscribe, ...fields })).toStrictEqual({ ok: true, request: { ...subscribe, ...expected } });
  });

  it.each<[string, Record<string, Json>, Record<string, Json>]>([
    ["a place", { since: place }, { since: place, limit: DEFAULT_PAGE_LIMIT }],
    ["a limit", { since: place, limit: 1 }, { since: place, limit: 1 }],
    ["the largest limit", { since: place, limit: MAX_PAGE_LIMIT }, { since: place, limit: MAX_PAGE_LIMIT }],
    ["the newest messages", { last: MAX_SUBSCRIBE_LAST }, { last: MAX_SUBSCRIBE_LAST }],
  ])("a history request with %s", (_what, fields, expected) => {
    const history = { action: "history", topic: "room/1" };

    expect(parse({ ...history, ...fields })).toStrictEqual({ ok: true, request: { ...history, ...expected } });
  });

  it("a ping without places, with none, and with some, whatever the topics are called", () => {
    const names = ["room/1", "__proto__", "constructor", "toString"];
    const members = names.map((name) => `"${name}":{"epoch":"k3f9","seq":58}`).join();

    expect(parse({ action: "ping" })).toStrictEqual({ ok: true, request: { action: "ping", places: [] } });
    expect(parse({ action: "ping", places: {} })).toStrictEqual({ ok: true, request: { action: "ping", places: [] } });
    expect(parseRequest(`{"action":"ping","id":"a1","places":{${members}}}`)).toStrictEqual({
      ok: true,
      request: { action: "ping", places: names.map((topic) => ({ topic, place })), id: "a1" },
    });
  });

  it("a ping with the most places", () => {
    const places = Object.fromEntries(Array.from({ length: MAX_PLACES }, (_, i) => [`room/${i}`, place]));

    expect(parse({ action: "ping", places })).toMatchObject({ ok: true });
  });
});

describe("parseRequest refuses", () => {
  const aPlace = '`since` must be an object such as {"epoch":"k3f9","seq":58}.';
  const aNumber = "`last` must be a whole number from 1 to 100.";
  const aLimit = "`limit` must be a whole number from 1 to 1000.";
  it.each<[string, Record<string, Json>, string]>([
    // Ignoring it would break what the client was promised.
    ["subscribe", { presence: {} }, "`presence` is not served yet; leave it out."],
    ["subscribe", { since: place, last: 1 }, "`last` excludes `since`; give one or the other."],
    ["subscribe", { since: null }, aPlace],
    ["subscribe", { since: "k3f9:58" }, aPlace],
    ["subscribe", { since: [place] }, aPlace],
    ["subscribe", { since: {} }, aPlace],
    ["subscribe", { since: { epoch: "", seq: 58 } }, aPlace],
    ["subscribe", { since: { epoch: "x".repeat(65), seq: 58 } }, aPlace],
    ["subscribe", { since: { epoch: 1, seq: 58 } }, aPlace],
    ["subscribe", { since: { epoch: "k3f9", seq: "58" } }, aPlace],
    ["subscribe", { since: { epoch: "k3f9", seq: -1 } }, aPlace],
    ["subscribe", { since: { epoch: "k3f9", seq: 1.5 } }, aPlace],
    ["subscribe", { since: { epoch: "k3f9", seq: Number.MAX_SAFE_INTEGER + 1 } }, aPlace],
    ["subscribe", { last: 0 }, aNumber],
    ["subscribe", { last: 101 }, aNumber],
    ["subscribe", { last: "10" }, aNumber],
    ["subscribe", { last: null }, aNumber],
    ["history", {}, "`last` and `since` are missing"],
    ["history", { limit: 5 }, "`last` and `since` are missing"],
    ["history", { since: place, last: 1 }, "`last` excludes `since`"],
    ["history", { last: 1_001 }, "`last` must be a whole number from 1 to 1000."],
    ["history", { since: place, limit: 0 }, aLimit],
    ["history", { since: place, limit: 1_001 }, aLimit],
    ["history", { since: 58 }, aPlace],
  ])("a %s with %j", (action, fields, message) => {
    expect(parse({ action, topic: "room/1", id: "a1", ...fields })).toStrictEqual({
      ok: false,
      fault: { code: "bad_request", message: expect.stringContaining(message) },
      head: { id: "a1", action, topic: "room/1" },
    });
  });

  it.each<[string, Json, string, string]>([
    ["null", null, "bad_request", "`places` must be an object from topic to place."],
    ["a list", [place], "bad_request", "`places` must be an object from topic to place."],
    ["a place alone", place, "bad_request", '`places["epoch"]` must be an object such as'],
    ["a topic that can't be", { "a b": place }, "invalid_topic", '`places["a b"]` may hold only letters'],
    ["an empty topic", { "": place }, "invalid_topic", '`places[""]` is empty.'],
    [
      "a topic that is too long",
      { ["x".repeat(9_000)]: place },
      "invalid_topic",
      `\`places["${"x".repeat(40)}…"]\` is`,
    ],
    ["no place", { "room/1": null }, "bad_request", '`places["room/1"]` must be an object such as'],
    [
      "too many",
      Object.fromEntries(Array.from({ length: MAX_PLACES + 1 }, (_, i) => [`room/${i}`, place])),
      "bad_request",
      "`places` must hold at most 50 topics",
    ],
  ])("a ping whose places are %s", (_what, places, code, message) => {
    expect(parse({ action: "ping", id: "a1", places })).toStrictEqual({
      ok: false,
      fault: { code, message: expect.stringContaining(message) },
      head: { id: "a1", action: "ping" },
    });
  });
});
