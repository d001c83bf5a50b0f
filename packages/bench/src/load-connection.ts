import type { Dialect } from "./dialects/dialect.ts";
import { createFrameReader } from "./frame-reader.ts";
import { openRawSocket } from "./raw-socket.ts";

export interface LoadConnectionOptions {
  readonly url: string;
  readonly dialect: Dialect;
  /** Called with how many came, more than none. */
  readonly onDeliveries: (count: number) => void;
  readonly onLost: (error: Error) => void;
}

/** A connection of the load generator. */
export interface LoadConnection {
  /** Those that came, ever. */
  readonly deliveries: number;
  /** Sees each message that has deliveries in it, before they are counted. */
  watch: ((bytes: Buffer, deliveries: number) => void) | undefined;
  send(frames: Buffer): void;
  /** Resolves when so many acks came, ever. */
  acked(acks: number): Promise<void>;
  end(): void;
}

/** Resolves when requests are welcome. */
export async function openLoadConnection(options: LoadConnectionOptions): Promise<LoadConnection> {
  const { url, dialect, onDeliveries, onLost } = options;
  let deliveries = 0;
  let acks = 0;
  let wanted: { readonly acks: number; readonly resolve: () => void } | undefined;
  let welcome = () => {};
  const welcomed = new Promise<void>((resolve) => {
    welcome = resolve;
  });
  const read = dialect.createReader({
    welcomed: () => welcome(),
    acked() {
      acks += 1;
      if (acks === wanted?.acks) wanted.resolve();
    },
    reply: (frames) => void opening.then((socket) => socket.send(frames), onLost),
  });
  const take = createFrameReader((bytes, from, to) => {
    const count = read(bytes, from, to);
    if (count > 0) connection.watch?.(bytes.subarray(from, to), count);
    return count;
  });
  const opening = openRawSocket({
    url,
    subprotocol: dialect.subprotocol,
    take(chunk, end) {
      const count = take(chunk, end);
      deliveries += count;
      if (count > 0) onDeliveries(count);
    },
    onLost,
  });
  const connection: LoadConnection = {
    get deliveries() {
      return deliveries;
    },
    watch: undefined,
    send: (frames) => socket.send(frames),
    acked: (count) =>
      new Promise((resolve) => {
        wanted = { acks: count, resolve };
        if (acks >= count) resolve();
      }),
    end: () => socket.end(),
  };
  const socket = await opening;
  if (dialect.hello === undefined) return connection;
  socket.send(dialect.hello);
  await welcomed;
  return connection;
}
