import { createClientFrame } from "../raw-socket.ts";
import type { Dialect } from "./dialect.ts";
import { createPacketReader } from "./packet-reader.ts";

const M = 0x4d;
const NEW_LINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
const LINE_END_BYTES = 2;
const OPTIONS = { verbose: false, pedantic: false, protocol: 1, lang: "bench", version: "0" };

/** The client protocol of NATS, a stream of lines and counted payloads: its messages come as `MSG subject sid bytes`, several in a frame. */
export const nats: Dialect = {
  hello: frameOf(`CONNECT ${JSON.stringify(OPTIONS)}\r\nPING\r\n`),
  acksPublishes: false,
  subscribe: (topic, id) => frameOf(`SUB ${subjectOf(topic)} ${id}\r\nPING\r\n`),
  publish: (topic, payload) => frameOf(`PUB ${subjectOf(topic)} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`),
  createReader(listener) {
    let deliveries = 0;
    let isWelcome = false;
    function onLine(line: string): void {
      if (line === "PING") listener.reply(frameOf("PONG\r\n"));
      else if (line === "PONG" && isWelcome) listener.acked();
      else if (line === "PONG") {
        isWelcome = true;
        listener.welcomed();
      } else if (!line.startsWith("INFO ")) throw new Error(`NATS answered ${line}`);
    }
    const read = createPacketReader((bytes, from, to) => {
      const lineEnd = endOfLine(bytes, from, to);
      if (lineEnd === undefined) return undefined;
      if (bytes[from] === M) {
        const end = lineEnd + sizeBefore(bytes, lineEnd) + LINE_END_BYTES;
        if (end > to) return undefined;
        deliveries += 1;
        return end;
      }
      onLine(bytes.toString("utf8", from, lineEnd - LINE_END_BYTES));
      return lineEnd;
    });
    return (bytes, from, to) => {
      deliveries = 0;
      read(bytes, from, to);
      return deliveries;
    };
  },
};

function frameOf(text: string): Buffer {
  return createClientFrame(Buffer.from(text));
}

/** Segments are divided by dots. */
function subjectOf(topic: string): string {
  return topic.replaceAll("/", ".");
}

function endOfLine(bytes: Buffer, from: number, to: number): number | undefined {
  for (let at = from; at < to; at++) if (bytes[at] === NEW_LINE) return at + 1;
  return undefined;
}

/** The number that a line ends in. */
function sizeBefore(bytes: Buffer, lineEnd: number): number {
  let size = 0;
  let worth = 1;
  for (let at = lineEnd - LINE_END_BYTES - 1; ; at--) {
    const digit = bytes[at] as number;
    if (digit < ZERO || digit > NINE) return size;
    size += (digit - ZERO) * worth;
    worth *= 10;
  }
}
