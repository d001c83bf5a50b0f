import { once } from "node:events";
import WebSocket, { type ClientOptions } from "ws";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into frames of every shape
export type Frame = any;

/** A WebSocket client that knows no protocol and keeps every frame that it gets. */
export interface RawClient {
  /** Parsed, oldest first. */
  readonly frames: readonly Frame[];
  /** Sends an object as JSON and a string as it is. */
  send(message: unknown): void;
  /** Sends an object with an `id` of its own and resolves with the frame that carries it back. */
  request(message: object): Promise<Frame>;
  /** Resolves with the first frame, earlier or later, that `matches`. */
  frame(matches: (frame: Frame) => boolean): Promise<Frame>;
  /** Resolves when there are `count` frames that `matches` (by default all), which is asked as by Array.filter. */
  count(
    count: number,
    matches?: (frame: Frame, index: number, frames: readonly Frame[]) => boolean,
  ): Promise<readonly Frame[]>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
  /** Goes away without a word. */
  vanish(): void;
  readonly socket: WebSocket;
}

/** Connects. Rejects with the status where the handshake is refused. */
export async function connectRawClient(
  url: string,
  options: ClientOptions = {},
  subprotocols: string[] = [],
): Promise<RawClient> {
  const client = rawClient(new WebSocket(url, subprotocols, options));
  await once(client.socket, "open");
  return client;
}

function rawClient(socket: WebSocket): RawClient {
  const frames: Frame[] = [];
  const watchers = new Set<() => void>();
  let requests = 0;

  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });

  function when<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const watch = () => {
        const found = look();
        if (found === undefined) return;
        watchers.delete(watch);
        resolve(found);
      };
      watchers.add(watch);
      void closed.then(({ code }) => reject(new Error(`Closed (${code}) while a test waited for a frame.`)));
      watch();
    });
  }

  socket.on("message", (data) => {
    frames.push(JSON.parse(data.toString()));
    for (const watch of watchers) watch();
  });

  const client: RawClient = {
    frames,
    socket,
    closed,
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    request(message) {
      requests += 1;
      const id = `r${requests}`;
      client.send({ ...message, id });
      return client.frame((frame) => frame.id === id);
    },
    frame: (matches) => when(() => frames.find(matches)),
    count: (count, matches = () => true) =>
      when(() => {
        const found = frames.filter(matches);
        return found.length >= count ? found : undefined;
      }),
    async close() {
      socket.close();
      await closed;
    },
    vanish: () => socket.terminate(),
  };
  return client;
}
