import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** Takes the bytes of `chunk` up to `end`, which are others by the next call. */
export type TakeBytes = (chunk: Buffer, end: number) => void;

/** A WebSocket client of next to no cost: what it reads is for its owner to understand. */
export interface RawSocket {
  /** Replaces who takes what comes. */
  take: TakeBytes;
  /** Sends bytes that are frames already. */
  send(frames: Buffer): void;
  /** Ends without a goodbye. */
  end(): void;
}

/** All sockets of the process read into it, one after the other. */
const BUFFER = Buffer.alloc(256 * 1024);
const HEAD_END = "\r\n\r\n";

/** Resolves when the handshake is done. Rejects where it is refused. `onLost` is called where the socket ends by itself, whatever happened. */
export function openRawSocket(url: string, onLost: (error: Error) => void): Promise<RawSocket> {
  const { hostname, port, host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    let head = "";
    function readHead(chunk: Buffer, end: number): void {
      head += chunk.toString("latin1", 0, end);
      const headEnd = head.indexOf(HEAD_END);
      if (headEnd === -1) return;
      raw.take = () => undefined;
      if (head.startsWith("HTTP/1.1 101 ")) resolve(raw);
      else reject(new Error(`The handshake was answered ${head}`));
    }
    const socket: Socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: BUFFER,
        callback(bytes) {
          raw.take(BUFFER, bytes);
          return true;
        },
      },
    });
    let isEnding = false;
    const raw: RawSocket = {
      take: readHead,
      send: (frames) => void socket.write(frames),
      end() {
        isEnding = true;
        socket.destroy();
      },
    };
    socket.on("error", reject);
    socket.on("close", () => {
      if (!isEnding) onLost(new Error("A connection was lost."));
    });
    const key = randomBytes(16).toString("base64");
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}${HEAD_END}`,
    );
  });
}

/** A client's text frame of less than 64 KiB. Its mask is zero, which is allowed and changes nothing: masking is no part of what is measured. */
export function createClientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const isShort = payload.length < 126;
  const header = Buffer.alloc(isShort ? 6 : 8);
  header[0] = 0x81;
  header[1] = 0x80 | (isShort ? payload.length : 126);
  if (!isShort) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
