import { describe, expect, it } from "@jest/globals";
import { createFrameScanner } from "../src/frame-lengths.ts";

const MAX_BYTES = 32_768;

/** A client's frame: masked, with zeros for a mask and a payload. */
function frameOf(payloadBytes: number): Buffer {
  const mask = 0x80;
  const header =
    payloadBytes < 126
      ? Buffer.from([0x81, mask | payloadBytes])
      : payloadBytes < 65_536
        ? Buffer.from([0x81, mask | 126, payloadBytes >> 8, payloadBytes & 0xff])
        : Buffer.concat([Buffer.from([0x81, mask | 127, 0, 0, 0, 0]), uint32(payloadBytes)]);
  return Buffer.concat([header, Buffer.alloc(4 + payloadBytes)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Whether a scanner finds a frame that is too large in a stream that comes in chunks of this size. */
function scan(stream: Buffer, chunkBytes: number): boolean {
  const isFrameTooLarge = createFrameScanner(MAX_BYTES);
  for (let at = 0; at < stream.length; at += chunkBytes) {
    if (isFrameTooLarge(stream.subarray(at, at + chunkBytes))) return true;
  }
  return false;
}

describe.each([1, 2, 3, 7, 1_000, 1_000_000])("a stream in chunks of %i bytes", (chunkBytes) => {
  it("may hold frames up to the limit", () => {
    const frames = [0, 1, 125, 126, 127, 5, MAX_BYTES, 0, MAX_BYTES].map(frameOf);
    expect(scan(Buffer.concat(frames), chunkBytes)).toBe(false);
  });

  it.each([MAX_BYTES + 1, 65_535, 65_536, 200_000])("may not hold one of %i bytes", (payloadBytes) => {
    expect(scan(Buffer.concat([frameOf(126), frameOf(3), frameOf(payloadBytes)]), chunkBytes)).toBe(true);
  });
});

it("needs no more than the header to find a frame too large", () => {
  expect(createFrameScanner(MAX_BYTES)(frameOf(MAX_BYTES + 1).subarray(0, 4))).toBe(true);
});
