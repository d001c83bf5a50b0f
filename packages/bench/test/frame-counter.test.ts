import { describe, expect, it } from "@jest/globals";
import { createFrameCounter } from "../src/frame-counter.ts";

/** A server's frame of zeros. */
function frameOf(payloadBytes: number, first = 0x81): Buffer {
  const header =
    payloadBytes < 126
      ? Buffer.from([first, payloadBytes])
      : payloadBytes < 65_536
        ? Buffer.from([first, 126, payloadBytes >> 8, payloadBytes & 0xff])
        : Buffer.from([first, 127, 0, 0, 0, 0, 0, payloadBytes >> 16, (payloadBytes >> 8) & 0xff, payloadBytes & 0xff]);
  return Buffer.concat([header, Buffer.alloc(payloadBytes)]);
}

function count(stream: Buffer, chunkBytes: number): number {
  const framesIn = createFrameCounter();
  const buffer = Buffer.alloc(chunkBytes);
  let frames = 0;
  for (let at = 0; at < stream.length; at += chunkBytes) frames += framesIn(buffer, stream.copy(buffer, 0, at));
  return frames;
}

describe("a counter of frames", () => {
  it.each([1, 2, 3, 9, 10, 11, 1_000, 1_000_000])("finds them all in chunks of %i bytes", (chunkBytes) => {
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 0, 5, 200];
    const stream = Buffer.concat(sizes.map((bytes, index) => frameOf(bytes, index % 2 === 0 ? 0x81 : 0x82)));
    expect(count(stream, chunkBytes)).toBe(sizes.length);
  });

  it("doesn't count one whose end is missing", () => {
    expect(createFrameCounter()(frameOf(200), 203)).toBe(0);
  });

  it.each([
    ["a close", 0x88],
    ["a ping", 0x89],
    ["a part of a message", 0x01],
  ])("throws at %s", (_, first) => {
    expect(() => createFrameCounter()(frameOf(2, first), 4)).toThrow("0x");
    expect(() => createFrameCounter()(frameOf(50, first), 52)).toThrow("0x");
  });
});
