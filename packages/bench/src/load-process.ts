import { createFrameCounter } from "./frame-counter.ts";
import type { LoadEvent, LoadOrder, Scenario } from "./load.ts";
import { createClientFrame, openRawSocket, type RawSocket } from "./raw-socket.ts";

/*
 * The load generator: a process of its own, so that what it costs is neither the server's nor that of whoever measures.
 */

/** Connections that are opened at a time. */
const CONNECTING_AT_ONCE = 50;
const PAYLOAD = "x".repeat(64);

async function run({ url, scenario }: LoadOrder): Promise<void> {
  const sockets = await connectAll(url, scenario);
  const publisher = await openRawSocket(url, fail);
  tell({ type: "publishing" });
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const deliveries = await publishFor(publisher, sockets, scenario);
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  for (const socket of [publisher, ...sockets]) socket.end();
  tell({ type: "done", deliveries, elapsedSeconds, cpuSeconds: (user + system) / 1e6 });
}

/** Publishes for the scenario's time, and resolves with the number of deliveries when the last has come. */
function publishFor(publisher: RawSocket, sockets: readonly RawSocket[], scenario: Scenario): Promise<number> {
  const { topics, subscribersOfEach, outstanding, seconds } = scenario;
  let sent = 0;
  let deliveries = 0;
  let isRunning = true;
  let isDue = false;
  return new Promise((resolve) => {
    /** As many as are complete, in one write. */
    function publish(): void {
      isDue = false;
      const frames: Buffer[] = [];
      const wanted = Math.floor(deliveries / subscribersOfEach) + outstanding;
      for (; isRunning && sent < wanted; sent++) frames.push(publishFrame(sent, topics));
      if (frames.length > 0) publisher.send(Buffer.concat(frames));
      else if (deliveries === sent * subscribersOfEach) resolve(deliveries);
    }
    function count(delivered: number): void {
      deliveries += delivered;
      if (isDue || Math.floor(deliveries / subscribersOfEach) + outstanding <= sent) return;
      isDue = true;
      setImmediate(publish);
    }
    for (const socket of sockets) {
      const framesIn = createFrameCounter();
      socket.take = (chunk, end) => count(framesIn(chunk, end));
    }
    publisher.take = createTextReader((text) => {
      if (!text.startsWith('{"type":"ack"')) fail(new Error(`No ack but ${text}`));
    });
    publish();
    setTimeout(() => {
      isRunning = false;
    }, seconds * 1_000);
  });
}

function publishFrame(number: number, topics: number): Buffer {
  const topic = `bench/${number % topics}`;
  return createClientFrame(JSON.stringify({ action: "publish", topic, id: String(number), payload: PAYLOAD }));
}

async function connectAll(url: string, scenario: Scenario): Promise<RawSocket[]> {
  const { connections } = scenario;
  const sockets: RawSocket[] = [];
  for (let first = 0; first < connections; first += CONNECTING_AT_ONCE) {
    const count = Math.min(CONNECTING_AT_ONCE, connections - first);
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => openRawSocket(url, fail)))));
  }
  await Promise.all(sockets.map((socket, index) => subscribe(socket, index, scenario)));
  return sockets;
}

/** Neighbours take neighbouring topics, so that each topic gets its subscribers. Resolves when all are acknowledged. */
function subscribe(socket: RawSocket, index: number, scenario: Scenario): Promise<void> {
  const { connections, topics, subscribersOfEach } = scenario;
  const subscriptions = (topics * subscribersOfEach) / connections;
  const frames = Array.from({ length: subscriptions }, (_, at) => {
    const topic = `bench/${(index * subscriptions + at) % topics}`;
    return createClientFrame(JSON.stringify({ action: "subscribe", topic, id: "s" }));
  });
  return new Promise((resolve, reject) => {
    let acks = 0;
    socket.take = createTextReader((text) => {
      if (!text.startsWith('{"type":"ack"')) reject(new Error(`No ack but ${text}`));
      acks += 1;
      if (acks === subscriptions) resolve();
    });
    socket.send(Buffer.concat(frames));
  });
}

/** Reads short text frames, for what is rare. */
function createTextReader(onText: (text: string) => void): RawSocket["take"] {
  let rest = Buffer.alloc(0);
  return (chunk, end) => {
    rest = Buffer.concat([rest, chunk.subarray(0, end)]);
    while (rest.length >= 4) {
      const short = rest.readUInt8(1);
      const from = short < 126 ? 2 : 4;
      const to = from + (short < 126 ? short : rest.readUInt16BE(2));
      if (rest.length < to) return;
      onText(rest.toString("utf8", from, to));
      rest = rest.subarray(to);
    }
  };
}

function tell(event: LoadEvent): void {
  process.send?.(event);
}

function fail(error: Error): void {
  tell({ type: "failed", message: error.message });
  process.exitCode = 1;
  process.disconnect();
}

process.once("message", (order: LoadOrder) => {
  run(order).then(() => process.disconnect(), fail);
});
