import { describe, expect, it } from "@jest/globals";
import { createFrameReader } from "../src/frame-reader.ts";

/** A server's frame. */
function frameOf(payload: Buffer, first = 0x81): Buffer {
  const { length } = payload;
  const header =
    length < 126
      ? Buffer.from([first, length])
      : length < 65_536
        ? Buffer.from([first, 126, length >> 8, length & 0xff])
        : Buffer.from([first, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff]);
  return Buffer.concat([header, payload]);
}

/** What comes out of a stream that arrives in chunks of one buffer, as a socket's do. */
function read(stream: Buffer, chunkBytes: number): { messages: Buffer[]; deliveries: number } {
  const messages: Buffer[] = [];
  const take = createFrameReader((bytes, from, to) => messages.push(Buffer.from(bytes.subarray(from, to))) && 2);
  const buffer = Buffer.alloc(chunkBytes);
  let deliveries = 0;
  for (let at = 0; at < stream.length; at += chunkBytes) deliveries += take(buffer, stream.copy(buffer, 0, at));
  return { messages, deliveries };
}

describe("a reader of frames", () => {
  it.each([1, 2, 3, 4, 9, 10, 11, 130, 1_000, 1_000_000])("finds them all in chunks of %i bytes", (chunkBytes) => {
    const payloads = [0, 1, 125, 126, 65_535, 65_536, 0, 5, 200].map((bytes, index) => Buffer.alloc(bytes, index));
    const stream = Buffer.concat(payloads.map((payload, index) => frameOf(payload, index % 2 === 0 ? 0x81 : 0x82)));
    const { messages, deliveries } = read(stream, chunkBytes);
    expect(messages.map((message, index) => message.equals(payloads[index]!))).toEqual(payloads.map(() => true));
    expect(deliveries).toBe(2 * payloads.length);
  });

  it("waits for one whose end is missing", () => {
    const frame = frameOf(Buffer.alloc(200));
    expect(read(frame.subarray(0, 203), 203).messages).toEqual([]);
    expect(read(frame.subarray(0, 3), 3).messages).toEqual([]);
  });

  it.each([
    ["a close", 0x88],
    ["a ping", 0x89],
    ["a part of a message", 0x01],
  ])("throws at %s", (_, first) => {
    expect(() => read(frameOf(Buffer.alloc(2), first), 4)).toThrow("0x");
    expect(() => read(frameOf(Buffer.alloc(50), first), 1)).toThrow("0x");
  });
});
