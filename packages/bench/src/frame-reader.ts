/** Takes the bytes of a whole message, which are others by the next call, and gives the number of deliveries that ended in them. */
export type MessageReader = (bytes: Buffer, from: number, to: number) => number;

/** The longest header of a server's frame (RFC 6455, 5.2); only clients mask. */
const MAX_HEADER_BYTES = 10;
/** Text and binary, in one piece. */
const TEXT = 0x81;
const BINARY = 0x82;

/**
 * Finds the frames of a stream, however they are joined or split, and hands on the message of each: the returned function takes the bytes of `chunk` up
 * to `end`, and gives the number of deliveries in the messages that end there. What is in one piece isn't copied. Throws where a frame is no whole
 * message, such as a close.
 */
export function createFrameReader(read: MessageReader): (chunk: Buffer, end: number) => number {
  /** A frame that began in a chunk before, as far as it has come. */
  let begun = Buffer.alloc(0);
  let begunBytes = 0;

  function keep(chunk: Buffer, from: number, to: number): void {
    const needed = begunBytes + to - from;
    if (needed > begun.length) {
      const larger = Buffer.allocUnsafe(2 * needed);
      begun.copy(larger, 0, 0, begunBytes);
      begun = larger;
    }
    begunBytes += chunk.copy(begun, begunBytes, from, to);
  }

  /** Goes on with the begun frame by what it still lacks, first of its header. Returns how far it took the chunk. */
  function goOn(chunk: Buffer, end: number): number {
    let at = 0;
    for (let missing = missingOfBegun(); missing > 0 && at < end; missing = missingOfBegun()) {
      const to = Math.min(at + missing, end);
      keep(chunk, at, to);
      at = to;
    }
    return at;
  }

  const missingOfBegun = () => frameEnd(begun, 0, begunBytes) - begunBytes;

  return (chunk, end) => {
    let deliveries = 0;
    let at = 0;
    if (begunBytes > 0) {
      at = goOn(chunk, end);
      if (missingOfBegun() > 0) return 0;
      deliveries += read(begun, headerBytesAt(begun, 0), begunBytes);
      begunBytes = 0;
    }
    while (at < end) {
      const to = frameEnd(chunk, at, end);
      if (to > end) break;
      deliveries += read(chunk, at + headerBytesAt(chunk, at), to);
      at = to;
    }
    if (at < end) keep(chunk, at, end);
    return deliveries;
  };
}

/** Where the frame ends, or its header where that isn't all there. */
function frameEnd(bytes: Buffer, from: number, end: number): number {
  if (end - from < 2) return from + 2;
  const payloadFrom = from + headerBytesAt(bytes, from);
  return payloadFrom > end ? payloadFrom : payloadFrom + payloadBytesAt(bytes, from);
}

function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] as number;
}

function headerBytesAt(bytes: Buffer, at: number): number {
  const length = byteAt(bytes, at + 1);
  return length < 126 ? 2 : length === 126 ? 4 : MAX_HEADER_BYTES;
}

function payloadBytesAt(bytes: Buffer, at: number): number {
  const first = byteAt(bytes, at);
  if (first !== TEXT && first !== BINARY) throw new Error(`A frame began with 0x${first.toString(16)}.`);
  const length = byteAt(bytes, at + 1);
  if (length < 126) return length;
  if (length === 126) return byteAt(bytes, at + 2) * 256 + byteAt(bytes, at + 3);
  return Number(bytes.readBigUInt64BE(at + 2));
}
