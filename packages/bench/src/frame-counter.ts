/** The longest header of a server's frame (RFC 6455, 5.2); only clients mask. */
const MAX_HEADER_BYTES = 10;
/** Text and binary, in one piece. */
const WHOLE_MESSAGES: ReadonlySet<number> = new Set([0x81, 0x82]);

/**
 * Counts the frames of a stream by their headers alone, however they are joined or split: the returned function takes the bytes of `chunk` up to `end`, and
 * gives the number of frames that end in them. Throws where a frame is no whole message, such as a close.
 */
export function createFrameCounter(): (chunk: Uint8Array, end: number) => number {
  let payloadLeft = 0;
  /** The beginning of a header that the chunk before ended in. */
  const split = new Uint8Array(MAX_HEADER_BYTES);
  let splitBytes = 0;

  /** Reads a header that may go on in the next chunk. Returns where it ends. */
  function readByByte(chunk: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && (splitBytes < 2 || splitBytes < headerBytesAt(split, 0)))
      split[splitBytes++] = byteAt(chunk, at++);
    if (splitBytes < 2 || splitBytes < headerBytesAt(split, 0)) return at;
    payloadLeft = payloadBytesAt(split, 0);
    splitBytes = 0;
    return at;
  }

  return (chunk, end) => {
    let frames = 0;
    let at = 0;
    while (at < end) {
      if (payloadLeft > 0) {
        const passed = Math.min(payloadLeft, end - at);
        at += passed;
        payloadLeft -= passed;
        if (payloadLeft === 0) frames += 1;
      } else if (splitBytes > 0 || end - at < MAX_HEADER_BYTES) {
        at = readByByte(chunk, at, end);
        if (splitBytes === 0 && payloadLeft === 0) frames += 1;
      } else {
        payloadLeft = payloadBytesAt(chunk, at);
        at += headerBytesAt(chunk, at);
        if (payloadLeft === 0) frames += 1;
      }
    }
    return frames;
  };
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function headerBytesAt(bytes: Uint8Array, at: number): number {
  const length = byteAt(bytes, at + 1);
  return length < 126 ? 2 : length === 126 ? 4 : MAX_HEADER_BYTES;
}

function payloadBytesAt(bytes: Uint8Array, at: number): number {
  const first = byteAt(bytes, at);
  if (!WHOLE_MESSAGES.has(first)) throw new Error(`A frame began with 0x${first.toString(16)}.`);
  const length = byteAt(bytes, at + 1);
  if (length < 126) return length;
  const from = at + 2;
  const to = at + headerBytesAt(bytes, at);
  let bytesOfPayload = 0;
  for (let index = from; index < to; index++) bytesOfPayload = bytesOfPayload * 256 + byteAt(bytes, index);
  return bytesOfPayload;
}
