import { describe, expect, it } from "@jest/globals";
import {
  decodeFrame,
  encodeFrame,
  encodeMessages,
  MAX_CLIENT_FRAME_BYTES,
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
    { type: "pong", time: 1_700_000_000_000, connectionId: "Zg2Fq-_dIAMCJbw=", you: "alice" },
  ])("of $type comes back from decodeFrame", (frame) => {
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
  });
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
