/** What is of note in a chunk: the header of a frame beyond the limit, else a part of a control frame (ping, pong, close). */
export type FrameNote = "tooLarge" | "control" | undefined;

/** Opcodes from here on are those of control frames. */
const CONTROL_BIT = 0x08;

/**
 * Reads the headers of WebSocket frames as their bytes pass by (RFC 6455, 5.2). `ws` bounds messages only, API Gateway bounds frames too.
 * The returned function tells what is of note in a chunk; after a frame of more than `maxBytes` the stream is of no use.
 */
export function createFrameScanner(maxBytes: number): (chunk: Uint8Array) => FrameNote {
  let payloadLeft = 0;
  let headerSeen = 0;
  let lengthBytes = 0;
  let masked = false;
  let length = 0;
  let isControl = false;
  let holdsControl = false;

  function readHeaderByte(byte: number): void {
    headerSeen += 1;
    if (headerSeen === 1) {
      isControl = (byte & CONTROL_BIT) !== 0;
      holdsControl ||= isControl;
      return;
    }
    if (headerSeen > 2) {
      length = length * 256 + byte;
      return;
    }
    const short = byte & 0x7f;
    masked = (byte & 0x80) !== 0;
    lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    length = lengthBytes === 0 ? short : 0;
  }

  return (chunk) => {
    let at = 0;
    holdsControl = isControl && (payloadLeft > 0 || headerSeen > 0);
    while (at < chunk.length) {
      if (payloadLeft > 0) {
        const passed = Math.min(payloadLeft, chunk.length - at);
        payloadLeft -= passed;
        at += passed;
        continue;
      }
      readHeaderByte(chunk[at] ?? 0);
      at += 1;
      if (headerSeen < 2 + lengthBytes) continue;
      if (length > maxBytes) return "tooLarge";
      payloadLeft = length + (masked ? 4 : 0);
      headerSeen = 0;
      lengthBytes = 0;
    }
    return holdsControl ? "control" : undefined;
  };
}
