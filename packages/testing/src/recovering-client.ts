import { randomUUID } from "node:crypto";
import { createReceiver, type Place, type Received, type Receiver } from "@topicast/protocol";
import WebSocket from "ws";
import { connectRawClient, type Frame, type RawClient } from "./raw-client.ts";

/** After which a request that nobody answers is sent again, where the service is quick. */
const MIN_REPLY_MS = 5_000;
const MAX_REPLY_MS = 60_000;
/** So many times as long as the last answer took may the next one take. */
const REPLY_PATIENCE = 4;
/** The wait before a second try, jittered and doubled for each further one: who all ask again at once keep a slow service down. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 3_200;
/** Once after so much silence of a topic it asks whether the last message was really the last: that one's loss leaves no gap. */
const SILENCE_MS = 4_000;
/** How often it looks at its clock. */
const TICK_MS = 20;

export interface RecoveringClientOptions {
  readonly url: string;
  /** What it stays subscribed to. */
  readonly topics: readonly string[];
  /** What a topic's receiver emits and reports. */
  readonly receive: (topic: string, received: Received) => void;
}

/** A client as an SDK makes one: it stays connected, and has each message of its topics once and in order, whatever becomes of its connections. */
export interface RecoveringClient {
  /** Resolves when it is subscribed to all its topics. */
  readonly ready: Promise<void>;
  /** Publishes a batch with a key, again and again until it is acknowledged, over as many connections as that takes; the place of its last. */
  publish(topic: string, payloads: readonly unknown[]): Promise<Place>;
  /** Cuts its connection without a word, and says whether there was one; it comes back by itself. */
  drop(): boolean;
  /** Everything up to it came or was reported. */
  place(topic: string): Place | undefined;
  close(): void;
}

export function createRecoveringClient({ url, topics, receive }: RecoveringClientOptions): RecoveringClient {
  // Over all its connections it is the same sender, so that its keys stay its own.
  const address = `${url}?client=${randomUUID()}`;
  const receivers = new Map<string, Receiver>(topics.map((topic) => [topic, createReceiver()]));
  /** When something came, Unix ms; absent where that was asked about. */
  const heardAt = new Map<string, number>();
  /** Topics about which an answer is on its way: a slow service isn't asked again meanwhile. */
  const recovering = new Set<string>();
  let client: RawClient | undefined;
  let isClosed = false;
  /** A service that is slow, because the machine is, never catches up with clients that all ask again before it could answer. */
  let replyMs = MIN_REPLY_MS;
  let connected = connect();

  async function connect(): Promise<RawClient> {
    for (let tries = 0; ; tries++) {
      try {
        const opened = await connectRawClient(address);
        client = opened;
        opened.socket.on("message", (data) => onFrame(JSON.parse(data.toString())));
        void opened.closed.then(() => {
          if (!isClosed) connected = connect();
        });
        return opened;
      } catch (error) {
        // Nobody listens, or the handshake was refused: both may pass.
        if (isClosed) throw error;
        await backOff(tries);
      }
    }
  }

  function onFrame(frame: Frame): void {
    const receiver = receivers.get(frame.topic);
    if (receiver === undefined) return;
    heardAt.set(frame.topic, Date.now());
    if (frame.type === "messages") accept(frame.topic, receiver.receive(frame as never, Date.now()));
    else if (frame.type === "closing") void subscribe(frame.topic).catch(ignoreClosing);
  }

  /** Resolves with the answer on whichever connection brings one. */
  async function ask(request: object): Promise<Frame> {
    for (let tries = 0; ; tries++) {
      if (isClosed) throw new Error("The client is closed.");
      const current = await connected;
      const askedAt = Date.now();
      const reply = await Promise.race([current.request(request), current.closed, pause(replyMs)]).catch(
        () => undefined,
      );
      const tookMs = Date.now() - askedAt;
      replyMs = Math.min(MAX_REPLY_MS, Math.max(MIN_REPLY_MS, (reply === undefined ? 2 : REPLY_PATIENCE) * tookMs));
      if (reply !== undefined && "type" in reply && !(reply.type === "error" && isPassing(reply.code))) return reply;
      if (reply !== undefined && "type" in reply && reply.code === "not_found") current.vanish();
      await backOff(tries);
    }
  }

  /** A place is asked for anew each time: between two tries it may have moved. */
  async function recover(topic: string, action: "subscribe" | "history"): Promise<void> {
    const receiver = receivers.get(topic) as Receiver;
    const since = receiver.place;
    recovering.add(topic);
    const asking = ask({ action, topic, ...(since !== undefined && { since }) });
    const ack = await asking.finally(() => recovering.delete(topic));
    if (ack.type !== "ack") throw new Error(`${action} was answered ${JSON.stringify(ack)}.`);
    accept(topic, receiver.ack(ack as never, since, Date.now()));
  }

  /** Who learns of a new epoch subscribes again: the topic was deleted, and `closing` may have been lost. */
  function accept(topic: string, received: Received): void {
    receive(topic, received);
    const { lost } = received;
    if (lost !== undefined && lost.after.epoch !== lost.place.epoch) void subscribe(topic).catch(ignoreClosing);
  }

  const subscribe = (topic: string) => recover(topic, "subscribe");

  async function stayConnected(): Promise<void> {
    while (!isClosed) {
      const current = await connected;
      await Promise.all(topics.map(subscribe));
      resolveReady();
      await current.closed;
    }
  }

  /** Fills gaps when their time has come, and pings about topics that fell silent. */
  async function watch(): Promise<void> {
    while (!isClosed) {
      await pause(TICK_MS);
      const now = Date.now();
      for (const [topic, receiver] of receivers) {
        if (!recovering.has(topic) && receiver.ask(now) !== undefined) {
          void recover(topic, "history").catch(ignoreClosing);
        }
      }
      const silent = topics.filter((topic) => (heardAt.get(topic) ?? now) < now - SILENCE_MS);
      for (const topic of silent) heardAt.delete(topic);
      if (silent.length > 0) void ping(silent).catch(ignoreClosing);
    }
  }

  async function ping(silent: readonly string[]): Promise<void> {
    const places = Object.fromEntries(silent.map((topic) => [topic, receivers.get(topic)?.place]));
    const { behind = [] } = await ask({ action: "ping", places });
    for (const topic of behind) receivers.get(topic)?.check(Date.now());
  }

  function ignoreClosing(error: unknown): void {
    // What still runs when a test is over ends with it.
    if (!isClosed) throw error;
  }

  let resolveReady = () => {};
  const ready = new Promise<void>((resolve) => {
    resolveReady = resolve;
  });
  for (const work of [stayConnected, watch]) void work().catch(ignoreClosing);

  return {
    ready,
    async publish(topic, payloads) {
      const ack = await ask({ action: "publish", topic, payloads, key: randomUUID() });
      if (ack.type !== "ack") throw new Error(`A publish was answered ${JSON.stringify(ack)}.`);
      return { epoch: ack.epoch, seq: ack.seq };
    },
    drop() {
      const isOpen = client?.socket.readyState === WebSocket.OPEN;
      client?.vanish();
      return isOpen;
    },
    place: (topic) => receivers.get(topic)?.place,
    close() {
      isClosed = true;
      client?.vanish();
    },
  };
}

function isPassing(code: string): boolean {
  return ["unavailable", "internal", "not_found", "rate_limited"].includes(code);
}

function backOff(tries: number): Promise<undefined> {
  return pause(Math.min(FIRST_RETRY_MS * 2 ** tries, MAX_RETRY_MS) * (0.5 + Math.random()));
}

function pause(ms: number): Promise<undefined> {
  // What a test doesn't wait for holds it up no longer.
  return new Promise((resolve) => void setTimeout(() => resolve(undefined), ms).unref());
}
