import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** Takes the bytes of `chunk` up to `end`, which are others by the next call. */
export type TakeBytes = (chunk: Buffer, end: number) => void;

/** A WebSocket client of next to no cost: what it reads is for its owner to understand. */
export interface RawSocket {
  /** Sends bytes that are frames already. */
  send(frames: Buffer): void;
  /** Ends without a goodbye. */
  end(): void;
}

export interface RawSocketOptions {
  readonly url: string;
  readonly subprotocol?: string | undefined;
  /** Gets what comes behind the handshake. */
  readonly take: TakeBytes;
  /** Called where the socket ends by itself, whatever happened, or `take` throws. */
  readonly onLost: (error: Error) => void;
}

/** All sockets of the process read into it, one after the other. */
const BUFFER = Buffer.alloc(256 * 1024);
const HEAD_END = "\r\n\r\n";

/** Resolves when the handshake is done. Rejects where it is refused. */
export function openRawSocket({ url, subprotocol, take, onLost }: RawSocketOptions): Promise<RawSocket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let head = "";
    let isOpen = false;
    let isEnding = false;
    /** Bytes may come in the same chunk as the handshake's end. */
    function readHead(bytes: number): void {
      const headBytesBefore = head.length;
      head += BUFFER.toString("latin1", 0, bytes);
      const headEnd = head.indexOf(HEAD_END);
      if (headEnd === -1) return;
      if (!head.startsWith("HTTP/1.1 101 ")) {
        reject(new Error(`The handshake was answered ${head}`));
        return;
      }
      isOpen = true;
      resolve(raw);
      const rest = Buffer.from(BUFFER.subarray(headEnd + HEAD_END.length - headBytesBefore, bytes));
      if (rest.length > 0) take(rest, rest.length);
    }
    function callback(bytes: number): boolean {
      try {
        if (isOpen) take(BUFFER, bytes);
        else readHead(bytes);
      } catch (error) {
        // A refusal, or nothing that this client understands.
        onLost(error as Error);
      }
      return true;
    }
    const socket: Socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: BUFFER, callback },
    });
    const raw: RawSocket = {
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
    socket.write(handshake(url, subprotocol));
  });
}

function handshake(url: string, subprotocol: string | undefined): string {
  const { host, pathname, search } = new URL(url);
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ];
  return lines.join("\r\n") + HEAD_END;
}

/** A client's text frame of less than 64 KiB, or a binary one. Its mask is zero, which is allowed and changes nothing: masking is no part of what is measured. */
export function createClientFrame(content: string | Buffer): Buffer {
  const payload = Buffer.from(content as string);
  const isShort = payload.length < 126;
  const header = Buffer.alloc(isShort ? 6 : 8);
  header[0] = typeof content === "string" ? 0x81 : 0x82;
  header[1] = 0x80 | (isShort ? payload.length : 126);
  if (!isShort) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
