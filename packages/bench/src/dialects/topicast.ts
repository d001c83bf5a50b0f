import { countPayloads, PAYLOAD_BYTES } from "../payload.ts";
import { createClientFrame } from "../raw-socket.ts";
import type { Dialect } from "./dialect.ts";

/** Where `{"type":"messages"` and `{"type":"ack"` differ, and how. */
const TYPE_AT = '{"type":"'.length;
const M = 0x6d;
const A = 0x61;
/** A frame of two messages is longer: each of them has a payload, and its number, sender and time of 60 bytes and more. The frame of one is shorter. */
const ONE_MESSAGE_BYTES = 2 * (PAYLOAD_BYTES + 60);

/** Topicast's own, see docs/protocol.md. */
export const topicast: Dialect = {
  acksPublishes: true,
  subscribe: (topic, id) => createClientFrame(JSON.stringify({ action: "subscribe", topic, id: String(id) })),
  publish: (topic, payload, id) =>
    createClientFrame(`{"action":"publish","topic":${JSON.stringify(topic)},"id":"${id}","payload":${payload}}`),
  createReader: (listener) => (bytes, from, to) => {
    const type = bytes[from + TYPE_AT];
    if (type === M) return to - from < ONE_MESSAGE_BYTES ? 1 : countPayloads(bytes, from, to);
    if (type !== A) throw new Error(`Topicast answered ${bytes.toString("utf8", from, to)}`);
    listener.acked();
    return 0;
  },
};
