import { createClientFrame } from "../raw-socket.ts";
import type { Dialect } from "./dialect.ts";

/** Engine.IO's packet types, of protocol 4. */
const OPEN = 0x30;
const PING = 0x32;
const MESSAGE = 0x34;
/** Socket.IO's, of protocol 5, within a message. */
const CONNECTED = 0x30;
const EVENT = 0x32;
const ACK = 0x33;
const PONG = createClientFrame("3");

/** Socket.IO over its WebSocket transport: one packet a message, as text. The server's application is `contestants/socket-io-server.ts`. */
export const socketIo: Dialect = {
  hello: createClientFrame("40"),
  acksPublishes: false,
  subscribe: (topic, id) => createClientFrame(`42${id}${JSON.stringify(["subscribe", topic])}`),
  publish: (topic, payload) => createClientFrame(`42["publish",${JSON.stringify(topic)},${payload}]`),
  createReader: (listener) => (bytes, from, to) => {
    const type = bytes[from];
    const kind = bytes[from + 1];
    if (type === MESSAGE && kind === EVENT) return 1;
    if (type === PING) listener.reply(PONG);
    else if (type === MESSAGE && kind === CONNECTED) listener.welcomed();
    else if (type === MESSAGE && kind === ACK) listener.acked();
    else if (type !== OPEN) throw new Error(`Socket.IO answered ${bytes.toString("utf8", from, to)}`);
    return 0;
  },
};
