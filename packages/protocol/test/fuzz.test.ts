import { afterAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  type BroadcastMarks,
  type ClientRequest,
  CODES,
  decodeFrame,
  encodeBroadcast,
  encodeFrame,
  encodeMessages,
  type Fault,
  type HttpPublish,
  isBroadcastPing,
  MAX_CLIENT_FRAME_BYTES,
  MAX_SERVER_FRAME_BYTES,
  matchesTopic,
  parseBroadcast,
  parseClientSecret,
  parseHistoryQuery,
  parseHttpPublish,
  parseHttpPublishMany,
  parseJson,
  parseRequest,
  parseSince,
  parseTopic,
  parseTopicPattern,
  type Topic,
  utf8Length,
  wrapBroadcast,
} from "../src/index.ts";
import {
  anyString,
  historyQuery,
  hostileText,
  jsonText,
  jsonValue,
  manyText,
  requestText,
  topic,
} from "./arbitraries.ts";

const marks: BroadcastMarks = { _me: true, _now: 1, _from: "alice", _seq: 58, _epoch: "k3f9" };

/** Every function that takes text from outside. Each gives what it refuses with, or nothing. */
const TAKERS: Record<string, (text: string) => Fault | undefined> = {
  parseJson: (text) => faultOf(parseJson(text)),
  parseTopic: (text) => faultOf(parseTopic(text)),
  parseClientSecret: (text) => faultOf(parseClientSecret(text)),
  parseRequest: (text) => faultOf(parseRequest(text)),
  "parseHttpPublish (body)": (text) => faultOf(parseHttpPublish("room/1", text)),
  "parseHttpPublish (topic)": (text) => faultOf(parseHttpPublish(text, '{"payload":1}')),
  "parseHttpPublish (header)": (text) => faultOf(parseHttpPublish("room/1", '{"payload":1}', text)),
  "parseHistoryQuery (epoch)": (text) => faultOf(parseHistoryQuery({ epoch: text, seq: "1" })),
  "parseHistoryQuery (last)": (text) => faultOf(parseHistoryQuery({ last: text })),
  parseSince: (text) => faultOf(parseSince(text)),
  parseTopicPattern: (text) => faultOf(parseTopicPattern(text)),
  parseBroadcast: (text) => faultOf(parseBroadcast(text, MAX_CLIENT_FRAME_BYTES)),
  parseHttpPublishMany: (text) => faultOf(parseHttpPublishMany(text)),
  decodeFrame: (text) => void decodeFrame(text),
  "encodeFrame (an id and a message)": (text) =>
    void encodeFrame({ type: "error", id: text, code: "internal", message: text }),
  "encodeMessages (a payload)": (text) => void encodeMessages({ topic: text }, [{ payload: text, time: 0 }]),
  encodeBroadcast: (text) => void encodeBroadcast(wrapBroadcast(text), marks),
  isBroadcastPing: (text) => void isBroadcastPing(text, wrapBroadcast(text)),
  utf8Length: (text) => void utf8Length(text),
};

function faultOf(result: { ok: true } | { ok: false; fault: Fault }): Fault | undefined {
  return result.ok ? undefined : result.fault;
}

/** A field in backticks, or what is wrong with the whole. */
const NAMES_WHAT_IS_WRONG =
  /^(`(Idempotency-Key|[a-z]+(: false|\["[^\n]*"\])?)`|This (is not|JSON|frame|body|message) |Written as JSON|A (request|message) is|The body must)/;

function expectGoodFault(fault: Fault): void {
  expect(Object.keys(CODES)).toContain(fault.code);
  expect(fault.message).toMatch(NAMES_WHAT_IS_WRONG);
  expect(fault.message).toMatch(/^[^\n]{10,250}\.$/);
}

/** JSON as it is sent; it tells apart what `toEqual` can't, such as the order of keys. */
const written = (value: unknown) => JSON.stringify(value);

const prototypeBefore = Object.getOwnPropertyNames(Object.prototype);
afterAll(() => {
  // A failure here is a prototype that any test of this file polluted.
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototypeBefore);
});

describe.each(Object.entries(TAKERS))("%s", (_name, take) => {
  it("answers any text, and says what is wrong with it", () => {
    const property = fc.property(hostileText, (text) => {
      const fault = take(text);
      if (fault !== undefined) expectGoodFault(fault);
    });
    fc.assert(property, { numRuns: 500 });
  });

  const million = 1 << 20;
  it.each([
    ["open brackets", "[".repeat(million)],
    ["brackets", "[".repeat(million / 2) + "]".repeat(million / 2)],
    ["objects", `${'{"a":'.repeat(million / 8)}{}${"}".repeat(million / 8)}`],
    ["brackets in a publish", `{"action":"publish","topic":"a","payload":${"[".repeat(million)}`],
    ["brackets under the limit of a frame", "[".repeat(16_000) + "]".repeat(16_000)],
    ["brackets under the limit of a body", `{"messages":${"[".repeat(90_000)}${"]".repeat(90_000)}}`],
    ["lone surrogates", "\ud800".repeat(million)],
    ["slashes", "/".repeat(million)],
    ["a string of NUL", `"${"\\u0000".repeat(million / 8)}"`],
  ])("answers a megabyte of %s", (_what, text) => {
    const fault = take(text);
    if (fault !== undefined) expectGoodFault(fault);
  });
});

/** As `1e400` reads. */
function holdsInfinity(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsInfinity);
}

describe("what is taken comes back the same", () => {
  it("parseJson", () => {
    const property = fc.property(jsonText, (text) => {
      const parsed = parseJson(text);
      const value: unknown = JSON.parse(text);
      if (holdsInfinity(value)) return expect(parsed.ok).toBe(false);
      expect(parsed.ok && written(parsed.value)).toBe(written(value));
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("parseTopic", () => {
    const property = fc.property(fc.oneof(topic, hostileText, fc.anything()), (name) => {
      const parsed = parseTopic(name);
      if (parsed.ok) expect(parsed.value).toBe(name);
      else expectGoodFault(parsed.fault);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("parseTopic takes every name that is made by the rules", () => {
    fc.assert(fc.property(topic, (name) => expect(parseTopic(name)).toEqual({ ok: true, value: name })));
  });

  it("parseRequest", () => {
    const property = fc.property(requestText, (text) => {
      const first = parseRequest(text);
      if (!first.ok) return expectGoodFault(first.fault);
      const again = parseRequest(written(asRequestFields(first.request)));
      expect(written(again)).toBe(written(first));
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("parseHttpPublish", () => {
    const property = fc.property(topic, requestText, (name, text) => {
      const first = parseHttpPublish(name, text);
      if (!first.ok) return expectGoodFault(first.fault);
      expect(written(parseHttpPublish(name, written(asFields(first.value))))).toBe(written(first));
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("parseHttpPublishMany", () => {
    const property = fc.property(manyText, (text) => {
      const first = parseHttpPublishMany(text);
      if (!first.ok) return expectGoodFault(first.fault);
      for (const one of first.value) if (!one.ok) expectGoodFault(one.fault);
      const taken = first.value.filter((one) => one.ok);
      if (taken.length === 0) return;
      const again = parseHttpPublishMany(written({ messages: taken.map((one) => asFields(one.value)) }));
      expect(written(again)).toBe(written({ ok: true, value: taken }));
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("parseHistoryQuery", () => {
    const property = fc.property(historyQuery, (query) => {
      const first = parseHistoryQuery(query);
      if (!first.ok) return expectGoodFault(first.fault);
      const again = parseRequest(written({ action: "history", topic: "a", ...first.value }));
      expect(again).toEqual({ ok: true, request: { action: "history", topic: "a", ...first.value } });
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("parseTopicPattern takes every pattern that is made by the rules, which matches what is below it only", () => {
    const property = fc.property(topic, topic, (prefix, rest) => {
      const exact = parseTopicPattern(prefix);
      const below = parseTopicPattern(`${prefix}/*`);
      if (!exact.ok || !below.ok) throw new Error("refused");
      const name = `${prefix}/${rest}` as Topic;
      expect([exact.value, below.value].map((pattern) => matchesTopic(pattern, name))).toEqual([false, true]);
      expect([exact.value, below.value].map((pattern) => matchesTopic(pattern, prefix as Topic))).toEqual([
        true,
        false,
      ]);
    });
    fc.assert(property);
  });

  function asRequestFields(request: ClientRequest): object {
    if (request.action === "publish") return asFields(request);
    if (request.action !== "ping") return request;
    const places = Object.fromEntries(request.places.map(({ topic, place }) => [topic, place]));
    return { ...request, places };
  }

  /** A parsed publish as fields to parse again; a single payload as such, because a list would be one level more. */
  function asFields<T extends Pick<HttpPublish, "payloads">>({ payloads, ...others }: T) {
    return { ...others, ...(payloads.length === 1 ? { payload: payloads[0] } : { payloads }) };
  }
});

it("utf8Length counts as Buffer does", () => {
  const property = fc.property(anyString, (text) => expect(utf8Length(text)).toBe(Buffer.byteLength(text)));
  fc.assert(property, { numRuns: 2_000 });
});

describe("a broadcast", () => {
  const anyMarks: fc.Arbitrary<BroadcastMarks> = fc.record(
    { _me: fc.boolean(), _now: fc.nat(), _from: anyString, _seq: fc.nat(), _epoch: anyString },
    { requiredKeys: ["_me", "_now", "_seq", "_epoch"] },
  );
  const MARK_NAMES: readonly string[] = ["_me", "_now", "_from", "_seq", "_epoch"];

  /** The own members of a JSON object, split into those that are marks and all others. */
  function split(json: object) {
    const members = Object.entries(json);
    return {
      marks: Object.fromEntries(members.filter(([name]) => MARK_NAMES.includes(name))),
      others: members.filter(([name]) => !MARK_NAMES.includes(name)),
    };
  }

  it("has exactly the service's marks, and everything else as it was sent", () => {
    const property = fc.property(fc.oneof(hostileText, jsonText), anyMarks, (body, service) => {
      const wrapped = wrapBroadcast(body);
      const received = split(JSON.parse(encodeBroadcast(wrapped, service)));

      expect(received.marks).toEqual({ ...service });
      expect(written(received.others)).toBe(written(split(wrapped).others));
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("never exceeds the limit of a frame, whatever was taken", () => {
    const fillers = fc.constantFrom('"', "\u0000", "語", "\ud800", "1e20,", "x");
    const bodies = fc
      .tuple(fillers, fc.nat({ max: 70_000 }), fc.constantFrom(["", ""], ["[", "0]"], ['{"a":[', "0]}"]))
      .map(([filler, count, [open = "", close = ""]]) => open + filler.repeat(count) + close);
    const property = fc.property(bodies, anyMarks, (body, service) => {
      const parsed = parseBroadcast(body, MAX_SERVER_FRAME_BYTES);
      if (!parsed.ok) return expectGoodFault(parsed.fault);
      expect(written(parsed.value)).toBe(written(wrapBroadcast(body)));
      expect(Buffer.byteLength(encodeBroadcast(parsed.value, service))).toBeLessThanOrEqual(MAX_SERVER_FRAME_BYTES);
    });
    fc.assert(property);
  });

  it("of an object is that object; of anything else has it under `data`", () => {
    const property = fc.property(jsonValue, (value) => {
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      expect(written(wrapBroadcast(written(value)))).toBe(written(isObject ? value : { data: value }));
    });
    fc.assert(property);
  });
});
