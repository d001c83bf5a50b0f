/** What is of note in a chunk: the header of a frame beyond the limit, else a part of a control frame (ping, pong, close). */
export type FrameNote = "tooLarge" | "control" | undefined;

/** Opcodes from here on are those of control frames. */
const CONTROL_BIT = 0x08;

/**
 * Reads the headers of WebSocket frames as their bytes pass by (RFC 6455, 5.2). `ws` bounds messages only, API Gateway bounds frames too.
 * The returned function tells what is of note in a chunk; after a frame of more than `maxBytes` the stream is of no use.
 */
export function createFrameScanner(maxBytes: number): (chunk: Uint8Array) => FrameNote {
  const scan = { payloadLeft: 0, headerSeen: 0, lengthBytes: 0, masked: false, length: 0, isControl: false };
  return (chunk) => readFrames(scan, chunk, maxBytes);
}

/** Where in a frame a stream is. */
interface Scan {
  payloadLeft: number;
  headerSeen: number;
  lengthBytes: number;
  masked: boolean;
  length: number;
  isControl: boolean;
}

function readFrames(scan: Scan, chunk: Uint8Array, maxBytes: number): FrameNote {
  let holdsControl = scan.isControl && (scan.payloadLeft > 0 || scan.headerSeen > 0);
  let at = 0;
  while (at < chunk.length) {
    if (scan.payloadLeft > 0) {
      const passed = Math.min(scan.payloadLeft, chunk.length - at);
      scan.payloadLeft -= passed;
      at += passed;
      continue;
    }
    readHeaderByte(scan, chunk[at] ?? 0);
    holdsControl ||= scan.isControl;
    at += 1;
    if (scan.headerSeen < 2 + scan.lengthBytes) continue;
    if (scan.length > maxBytes) return "tooLarge";
    scan.payloadLeft = scan.length + (scan.masked ? 4 : 0);
    scan.headerSeen = 0;
    scan.lengthBytes = 0;
  }
  return holdsControl ? "control" : undefined;
}

function readHeaderByte(scan: Scan, byte: number): void {
  scan.headerSeen += 1;
  if (scan.headerSeen === 1) {
    scan.isControl = (byte & CONTROL_BIT) !== 0;
    return;
  }
  if (scan.headerSeen > 2) {
    scan.length = scan.length * 256 + byte;
    return;
  }
  const short = byte & 0x7f;
  scan.masked = (byte & 0x80) !== 0;
  scan.lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  scan.length = scan.lengthBytes === 0 ? short : 0;
}
