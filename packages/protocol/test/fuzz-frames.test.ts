import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeFrame, encodeFrame, encodeMessages, fitMessages, type Json } from "../src/index.ts";
import { anyString, messages } from "./arbitraries.ts";

/** JSON as it is sent; it tells apart what `toEqual` can't, such as the order of keys. */
const written = (value: unknown) => JSON.stringify(value);

describe("encodeMessages", () => {
  const head = { topic: "room/1", epoch: "k3f9" };
  const bytesOf = (text: string) => Buffer.byteLength(text);

  it("never exceeds the limit where single messages fit, and keeps all in order", () => {
    const property = fc.property(messages, fc.nat({ max: 2_000 }), (all, slack) => {
      const singles = all.map((message) => encodeMessages(head, [message]).map(bytesOf));
      const maxBytes = Math.max(100, ...singles.flat()) + slack;
      const frames = encodeMessages(head, all, maxBytes);

      expect(Math.max(...frames.map(bytesOf))).toBeLessThanOrEqual(maxBytes);
      expect(written(frames.flatMap(messagesOf))).toBe(written(all));
    });
    fc.assert(property);
  });

  it("exceeds it only with a message that is too large by itself", () => {
    const property = fc.property(messages, fc.integer({ min: 0, max: 1_000 }), (all, maxBytes) => {
      const frames = encodeMessages(head, all, maxBytes);
      const tooLarge = frames.filter((text) => bytesOf(text) > maxBytes);

      for (const text of tooLarge) expect(messagesOf(text).length).toBeLessThanOrEqual(1);
      expect(written(frames.flatMap(messagesOf))).toBe(written(all));
    });
    fc.assert(property);
  });

  function messagesOf(text: string) {
    const frame = decodeFrame(text);
    if (frame?.type !== "messages") throw new Error("not a messages frame");
    expect(frame).toMatchObject(head);
    return frame.messages;
  }
});

describe("fitMessages", () => {
  const head = { type: "ack", action: "history", topic: "room/1", epoch: "k3f9", seq: 58, recovered: true };
  const bytesOf = (text: string) => Buffer.byteLength(text);

  it("has as many as fit and not one more, from either end", () => {
    const property = fc.property(messages, fc.nat({ max: 3_000 }), fc.boolean(), (all, maxBytes, isOldest) => {
      const from = isOldest ? "oldest" : "newest";
      const text = fitMessages(head, all, { from, maxBytes });
      const { messages: fitting, more, ...others } = JSON.parse(text) as { messages: Json[]; more: boolean };
      const count = fitting.length;
      const slice = (length: number) => (isOldest ? all.slice(0, length) : all.slice(all.length - length));

      expect(others).toEqual(head);
      expect(written(fitting)).toBe(written(slice(count)));
      expect(more).toBe(count < all.length);
      if (count > 1) expect(bytesOf(text)).toBeLessThanOrEqual(maxBytes);
      if (more)
        expect(
          count === 0 ? "none" : bytesOf(written({ ...head, more: false, messages: slice(count + 1) })),
        ).toBeGreaterThan(maxBytes);
    });
    fc.assert(property);
  });
});

it("decodeFrame gives what encodeFrame was given", () => {
  const frame = fc.record(
    { type: fc.constant("error"), id: anyString, topic: anyString, code: fc.constant("internal"), message: anyString },
    { requiredKeys: ["type", "code", "message"] },
  ) as fc.Arbitrary<Parameters<typeof encodeFrame>[0]>;
  fc.assert(fc.property(frame, (sent) => expect(decodeFrame(encodeFrame(sent))).toEqual(sent)));
});
