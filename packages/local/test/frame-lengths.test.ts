import { describe, expect, it } from "@jest/globals";
import { createFrameScanner, type FrameNote } from "../src/frame-lengths.ts";

const MAX_BYTES = 32_768;

/** A client's frame: masked, with zeros for a mask and a payload. */
function frameOf(payloadBytes: number, opcode = 0x1): Buffer {
  const mask = 0x80;
  const header =
    payloadBytes < 126
      ? Buffer.from([0x80 | opcode, mask | payloadBytes])
      : payloadBytes < 65_536
        ? Buffer.from([0x80 | opcode, mask | 126, payloadBytes >> 8, payloadBytes & 0xff])
        : Buffer.concat([Buffer.from([0x80 | opcode, mask | 127, 0, 0, 0, 0]), uint32(payloadBytes)]);
  return Buffer.concat([header, Buffer.alloc(4 + payloadBytes)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** What a scanner notes in a stream that comes in chunks of this size, chunk by chunk, up to a frame that is too large. */
function scan(stream: Buffer, chunkBytes: number): FrameNote[] {
  const noteIn = createFrameScanner(MAX_BYTES);
  const notes: FrameNote[] = [];
  for (let at = 0; at < stream.length && notes.at(-1) !== "tooLarge"; at += chunkBytes) {
    notes.push(noteIn(stream.subarray(at, at + chunkBytes)));
  }
  return notes;
}

describe.each([1, 2, 3, 7, 1_000, 1_000_000])("a stream in chunks of %i bytes", (chunkBytes) => {
  it("may hold frames up to the limit", () => {
    const frames = [0, 1, 125, 126, 127, 5, MAX_BYTES, 0, MAX_BYTES].map((bytes) => frameOf(bytes));
    expect(new Set(scan(Buffer.concat(frames), chunkBytes))).toEqual(new Set([undefined]));
  });

  it.each([MAX_BYTES + 1, 65_535, 65_536, 200_000])("may not hold one of %i bytes", (payloadBytes) => {
    expect(scan(Buffer.concat([frameOf(126), frameOf(3), frameOf(payloadBytes)]), chunkBytes).at(-1)).toBe("tooLarge");
  });

  it.each([
    ["ping", 0x9],
    ["close", 0x8],
  ])("is noted wherever a %s passes", (_, opcode) => {
    const [before, control] = [frameOf(200), frameOf(5, opcode)];
    const notes = scan(Buffer.concat([before, control, frameOf(10_000)]), chunkBytes);
    const holdsControl = (_: FrameNote, chunk: number) =>
      chunk * chunkBytes < before.length + control.length && (chunk + 1) * chunkBytes > before.length;
    expect(notes.map((note) => note === "control")).toEqual(notes.map(holdsControl));
  });
});

it("needs no more than the header to find a frame too large", () => {
  expect(createFrameScanner(MAX_BYTES)(frameOf(MAX_BYTES + 1).subarray(0, 4))).toBe("tooLarge");
});
