/** Reads the packet that begins at `from`: where it ends, or undefined where it isn't all there up to `to`. */
export type ReadPacket = (bytes: Buffer, from: number, to: number) => number | undefined;

const NOTHING = Buffer.alloc(0);

/** For protocols of which a WebSocket message is just a piece of a stream: finds the packets, and keeps what isn't a whole one until more comes. */
export function createPacketReader(read: ReadPacket): (bytes: Buffer, from: number, to: number) => void {
  let begun: Buffer = NOTHING;

  function readAll(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const end = read(bytes, at, to);
      if (end === undefined) break;
      at = end;
    }
    begun = at === to ? NOTHING : Buffer.from(bytes.subarray(at, to));
  }

  return (bytes, from, to) => {
    if (begun.length === 0) return readAll(bytes, from, to);
    const joined = Buffer.concat([begun, bytes.subarray(from, to)]);
    readAll(joined, 0, joined.length);
  };
}
