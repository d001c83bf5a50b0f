import { describe, expect, it } from "@jest/globals";
import {
  decodeFrame,
  encodeFrame,
  encodeMessages,
  fitMessages,
  MAX_CLIENT_FRAME_BYTES,
  MAX_HTTP_PAYLOAD_BYTES,
  MAX_SERVER_FRAME_BYTES,
  type Message,
  type MessagesFrame,
  parseHttpPublish,
  parseRequest,
  type ServerFrame,
  utf8Length,
} from "../src/index.ts";

const messages: readonly Message[] = [
  { seq: 58, payload: { x: 1 }, from: "alice", time: 1_700_000_000_000 },
  { seq: 59, payload: null, time: 1_700_000_000_001 },
];
const head = { topic: "room/1", epoch: "k3f9" };

/** `count` messages that are `bytes` long each, but for a few. */
function manyMessages(count: number, bytes: number, letter = "x"): Message[] {
  const payload = letter.repeat(bytes / utf8Length(letter));
  return Array.from({ length: count }, (_, i) => ({ seq: i + 1, payload, time: 0 }));
}

function decodeMessages(text: string): MessagesFrame {
  const frame = decodeFrame(text);
  if (frame?.type !== "messages") throw new Error(`not a messages frame: ${text.slice(0, 80)}`);
  return frame;
}

describe("encodeFrame", () => {
  it.each<ServerFrame>([
    { type: "messages", ...head, messages },
    { type: "ack", id: "a1", action: "publish", ...head, seq: 58 },
    {
      type: "error",
      id: "a1",
      action: "publish",
      topic: "room/1",
      code: "payload_too_large",
      message: "No.",
      limit: 9,
    },
    { type: "pong", time: 1_700_000_000_000, connectionId: "Zg2Fq-_dIAMCJbw=", you: "alice", behind: ["room/1"] },
    { type: "ack", action: "history", ...head, seq: 59, recovered: true, messages, more: false },
    { type: "closing", topic: "room/1", reason: "deleted", reconnect: true },
    { type: "closing", reason: "kicked", reconnect: false },
  ])("of $type comes back from decodeFrame", (frame) => {
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
  });
});

it("encodeFrame writes what message-broadcast says of a replay, which is no frame of the topic service", () => {
  const text = encodeFrame({ type: "recovery", epoch: "k3f9", seq: 58, recovered: true });

  expect(text).toBe('{"type":"recovery","epoch":"k3f9","seq":58,"recovered":true}');
  expect(decodeFrame(text)).toBeUndefined();
});

describe("encodeMessages", () => {
  it("puts what fits into one frame", () => {
    const frames = encodeMessages(head, messages);

    expect(frames.map((text) => JSON.parse(text))).toEqual([{ type: "messages", ...head, messages }]);
  });

  it("leaves the epoch out where the messages have no place", () => {
    const frames = encodeMessages({ topic: "room/1", epoch: undefined }, [{ payload: 1, time: 0 }]);

    expect(frames).toEqual(['{"type":"messages","topic":"room/1","messages":[{"payload":1,"time":0}]}']);
  });

  it.each([
    ["a batch of 100", manyMessages(100, 2_000)],
    ["letters of three bytes", manyMessages(7, 30_000, "語")],
    ["letters that JSON writes as six bytes", manyMessages(9, 3_000, "\u0001")],
    ["one large among small", [...manyMessages(50, 10), ...manyMessages(1, 126_000), ...manyMessages(50, 10)]],
  ])("keeps frames of %s under the limit, with all messages in order", (_what, all) => {
    const frames = encodeMessages(head, all);
    const decoded = frames.map(decodeMessages);

    for (const frame of frames) expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(MAX_SERVER_FRAME_BYTES);
    for (const frame of decoded) expect(frame).toMatchObject(head);
    expect(decoded.flatMap((frame) => frame.messages)).toEqual(all);
  });

  it("fills a frame to the last byte and splits at one more", () => {
    const [whole = ""] = encodeMessages(head, messages);
    const bytes = Buffer.byteLength(whole);

    expect(encodeMessages(head, messages, bytes)).toHaveLength(1);
    expect(encodeMessages(head, messages, bytes - 1)).toHaveLength(2);
  });

  it("counts bytes, not characters", () => {
    const wide = manyMessages(2, 120, "語");
    const [whole = ""] = encodeMessages(head, wide);

    expect(encodeMessages(head, wide, whole.length)).toHaveLength(2);
  });

  it("gives a message that is too large a frame of its own", () => {
    const all = [...manyMessages(2, 10), ...manyMessages(1, 500), ...manyMessages(2, 10)];
    const sizes = encodeMessages(head, all, 300).map((text) => decodeMessages(text).messages.length);

    expect(sizes.reduce((sum, size) => sum + size)).toBe(5);
    expect(
      encodeMessages(head, all, 300)
        .filter((text) => text.length > 300)
        .map(decodeMessages),
    ).toMatchObject([{ messages: [all[2]] }]);
  });

  it("makes the largest payload of a WebSocket publish fit a frame", () => {
    const [frame = ""] = encodeMessages(head, manyMessages(1, MAX_CLIENT_FRAME_BYTES));

    expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(MAX_SERVER_FRAME_BYTES);
  });
});

describe("fitMessages", () => {
  const ack = { type: "ack", id: "a1", action: "history", ...head, seq: 59, recovered: true };
  const fit = (all: readonly Message[], from: "oldest" | "newest", maxBytes?: number) =>
    JSON.parse(fitMessages(ack, all, { from, ...(maxBytes !== undefined && { maxBytes }) }));

  it.each(["oldest", "newest"] as const)("puts all that fits around what it is given (%s first)", (from) => {
    expect(fit(messages, from)).toEqual({ ...ack, messages, more: false });
    expect(fit([], from)).toEqual({ ...ack, messages: [], more: false });
  });

  it("says that there is more where the answer did already", () => {
    expect(JSON.parse(fitMessages({ more: true }, messages, { from: "oldest" }))).toEqual({ messages, more: true });
  });

  it("leaves out the newest or the oldest, in order, and says so", () => {
    const all = manyMessages(5, 100);
    const maxBytes = Buffer.byteLength(fitMessages(ack, all.slice(0, 3), { from: "oldest" }));

    expect(fit(all, "oldest", maxBytes)).toEqual({ ...ack, messages: all.slice(0, 3), more: true });
    expect(fit(all, "newest", maxBytes)).toEqual({ ...ack, messages: all.slice(2), more: true });
    expect(fit(all, "oldest", maxBytes - 1)).toMatchObject({ messages: all.slice(0, 2) });
  });

  it("has one message at least: without, no client could pass it", () => {
    const all = manyMessages(3, 500);

    expect(fit(all, "oldest", 100)).toEqual({ ...ack, messages: all.slice(0, 1), more: true });
    expect(fit(all, "newest", 100)).toEqual({ ...ack, messages: all.slice(2), more: true });
  });

  it.each([
    ["of all sizes", manyMessages(1_000, 200)],
    ["of three bytes a letter", manyMessages(20, 30_000, "語")],
    ["of the largest payloads", manyMessages(3, MAX_HTTP_PAYLOAD_BYTES - 2)],
  ])("never exceeds a frame with messages %s", (_what, all) => {
    for (const from of ["oldest", "newest"] as const) {
      const text = fitMessages(ack, all, { from });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_SERVER_FRAME_BYTES);
      expect(JSON.parse(text)).toMatchObject({ more: true });
    }
  });

  it("makes a message of the largest payload and the longest names fit", () => {
    const longest = "\u0000".repeat(64);
    const largest: Message = {
      seq: Number.MAX_SAFE_INTEGER,
      payload: "x".repeat(MAX_HTTP_PAYLOAD_BYTES - 2),
      from: longest,
      time: 1_700_000_000_000,
      key: longest,
    };
    const text = fitMessages({ ...ack, id: longest, topic: "語".repeat(200), you: longest }, [largest], {
      from: "oldest",
    });

    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_SERVER_FRAME_BYTES);
  });
});

describe("decodeFrame", () => {
  it.each([
    ["an empty frame", ""],
    ["what is not JSON", "hello"],
    ["null", "null"],
    ["a list", '[{"type":"pong"}]'],
    ["a string", '"pong"'],
    ["no type", "{}"],
    ["an unknown type", '{"type":"weather"}'],
    ["a type that is not a string", '{"type":["pong"]}'],
    ["a type that every object has", '{"type":"constructor"}'],
    ["a type that is only inherited", '{"__proto__":{"type":"pong"}}'],
    ["JSON that nests too deep", `{"type":"messages","messages":${"[".repeat(5_000)}${"]".repeat(5_000)}}`],
  ])("ignores %s", (_what, text) => {
    expect(decodeFrame(text)).toBeUndefined();
  });

  it("keeps fields that it doesn't know", () => {
    expect(decodeFrame('{"type":"pong","mood":"fine"}')).toEqual({ type: "pong", mood: "fine" });
  });

  // What the service took must never be dropped by a client because of the levels that a frame adds.
  it.each([
    ["WebSocket", (deep: string) => parseRequest(`{"action":"publish","topic":"a","payload":${deep}}`)],
    ["HTTP", (deep: string) => parseHttpPublish("a", `{"payload":${deep}}`)],
  ])("takes the deepest payload that is accepted over %s", (_what, publish) => {
    const deep = "[".repeat(99) + "]".repeat(99);

    expect(publish(deep)).toMatchObject({ ok: true });
    expect(publish(`[${deep}]`)).toMatchObject({ ok: false });
    const [frame = ""] = encodeMessages(head, [{ payload: JSON.parse(deep), time: 0 }]);
    expect(decodeFrame(frame)).toMatchObject({ messages: [{ time: 0 }] });
  });
});
