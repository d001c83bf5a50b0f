import { createClientFrame } from "../raw-socket.ts";
import type { Dialect } from "./dialect.ts";
import { createPacketReader } from "./packet-reader.ts";

/** Packet types of MQTT 3.1.1 with the flags that they have here, in a packet's first byte. */
const CONNECT = 0x10;
const CONNACK = 0x20;
const PUBLISH = 0x30;
const SUBSCRIBE = 0x82;
const SUBACK = 0x90;
/** The level of the protocol 3.1.1, and the flag for a session that ends with its connection. */
const LEVEL = 4;
const CLEAN_SESSION = 0x02;
const AT_MOST_ONCE = 0;
const MAX_LENGTH_BYTES = 4;

/** MQTT 3.1.1 at quality of service 0: nothing is acknowledged but subscribing. */
export const mqtt: Dialect = {
  subprotocol: "mqtt",
  // No keep-alive, and a name that the server finds.
  hello: frameOf(CONNECT, Buffer.concat([textOf("MQTT"), Buffer.from([LEVEL, CLEAN_SESSION, 0, 0]), textOf("")])),
  acksPublishes: false,
  subscribe: (topic, id) =>
    frameOf(SUBSCRIBE, Buffer.concat([uint16Of(id), textOf(topic), Buffer.from([AT_MOST_ONCE])])),
  publish: (topic, payload) => frameOf(PUBLISH, Buffer.concat([textOf(topic), Buffer.from(payload)])),
  createReader(listener) {
    let deliveries = 0;
    function onPacket(type: number, body: Buffer): void {
      // Both end in a code, which is 0 where all is well.
      if (type === CONNACK && body.at(-1) === 0) listener.welcomed();
      else if (type === SUBACK && body.at(-1) === AT_MOST_ONCE) listener.acked();
      else throw new Error(`MQTT answered 0x${type.toString(16)}${body.toString("hex")}`);
    }
    const read = createPacketReader((bytes, from, to) => {
      let length = 0;
      let at = from + 1;
      for (let worth = 1; ; worth *= 128, at++) {
        if (at >= to) return undefined;
        if (at - from > MAX_LENGTH_BYTES) throw new Error("MQTT sent a length that never ends.");
        const digit = bytes[at] as number;
        length += (digit & 127) * worth;
        if (digit < 128) break;
      }
      const end = at + 1 + length;
      if (end > to) return undefined;
      if (bytes[from] === PUBLISH) deliveries += 1;
      else onPacket(bytes[from] as number, bytes.subarray(at + 1, end));
      return end;
    });
    return (bytes, from, to) => {
      deliveries = 0;
      read(bytes, from, to);
      return deliveries;
    };
  },
};

function frameOf(type: number, body: Buffer): Buffer {
  const header = [type];
  for (let length = body.length; ; length = Math.floor(length / 128)) {
    header.push((length % 128) | (length < 128 ? 0 : 128));
    if (length < 128) break;
  }
  return createClientFrame(Buffer.concat([Buffer.from(header), body]));
}

function textOf(text: string): Buffer {
  return Buffer.concat([uint16Of(Buffer.byteLength(text)), Buffer.from(text)]);
}

function uint16Of(number: number): Buffer {
  return Buffer.from([(number >> 8) & 0xff, number & 0xff]);
}
