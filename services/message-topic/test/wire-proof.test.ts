import { afterEach, expect, it, jest } from "@jest/globals";
import type { HostFaults, WireFault } from "@topicast/local";
import { createRandom, createRecoveringClient, type RecoveringClient } from "@topicast/testing";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

/*
 * The promise, over DynamoDB's, SQS's and `@connections`' own protocols, while everything fails now and then and clients lose their
 * connections: who is subscribed has each message once and in order.
 */

// Alone it takes a minute and a half; beside another suite of the wire, on a busy machine, several times that.
jest.setTimeout(900_000);

const CLIENTS = 50;
const TOPICS = Array.from({ length: 10 }, (_, n) => `room/${n}`);
const TOPICS_OF_A_CLIENT = 2;
const MESSAGES = 5_000;
const MAX_BATCH = 9;
const POLL_MS = 10;
const PUBLISHERS = 6;
/** Connections cut with each batch, on average: by the work that is done, not by the second, so that a slow machine isn't asked for ever more. */
const DROPS_A_BATCH = 0.3;
/** Clients that connect at once. */
const CONNECTING = 5;

let host: TopicHost;
const clients: RecoveringClient[] = [];
afterEach(async () => {
  for (const client of clients) client.close();
  await host.close();
});

/** Per mille of requests that go wrong, by how. */
const STORE_FAULTS: Readonly<Record<WireFault, number>> = { throttle: 5, fail: 3, dropAnswer: 3, hang: 0.2 };
const POST_FAULTS = { throttled: 10, failed: 5, hang: 0.2 };
/** Answered 200, and never there. */
const FRAME_FAULTS = { lost: 3 };
const QUEUE_FAULTS: Readonly<Record<WireFault, number>> = { throttle: 10, fail: 5, dropAnswer: 10, hang: 0 };

function faultsOf(random: () => number, counted: Map<string, number>): HostFaults {
  function pick<F extends string>(part: string, perMille: Readonly<Record<F, number>>): F | undefined {
    let at = random() * 1_000;
    for (const [fault, share] of Object.entries(perMille) as [F, number][]) {
      at -= share;
      if (at >= 0) continue;
      counted.set(`${part} ${fault}`, (counted.get(`${part} ${fault}`) ?? 0) + 1);
      return fault;
    }
    return undefined;
  }
  return {
    request: () => pick("post", POST_FAULTS),
    store: () => pick("store", STORE_FAULTS),
    queue: () => pick("queue", QUEUE_FAULTS),
    disconnect: () => random() < 0.5,
    frame: (_service, _connection, kind) => (kind === "post" && pick("frame", FRAME_FAULTS) === "lost" ? [] : [0]),
  };
}

interface Inbox {
  readonly payloads: unknown[];
  lost: number;
}

it("loses, doubles and reorders nothing", async () => {
  const random = createRandom(1);
  const faults: HostFaults = {};
  const counted = new Map<string, number>();
  host = await startTopicHost({
    // Longer than a worker takes: a job that comes again while it still runs only adds to what made it slow.
    wire: { visibilityTimeoutSeconds: 60 },
    environment: { FANOUT_INLINE_MAX: "8" },
    faults,
    // What the faults do to functions is what this is about.
    log: () => {},
  });
  const inboxes = await connectAll();
  Object.assign(faults, faultsOf(random, counted));
  const startedAt = Date.now();
  const { published, dropped } = await publishAll(random);
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(0);
  for (const name of Object.keys(faults)) delete faults[name as keyof HostFaults];
  await comeToRest(inboxes, published);

  const figures = compare(inboxes, published);
  const failed = [...counted].map(([fault, count]) => `${fault} ${count}`).join(", ");
  process.stdout.write(
    `${MESSAGES} messages to ${CLIENTS} clients in ${TOPICS.length} topics, ${figures.deliveries} deliveries in ${seconds} s; ${dropped} connections dropped; ${failed}: ${figures.lost} lost, ${figures.doubled} doubled, ${figures.outOfOrder} out of order\n`,
  );
  const deliveries = (MESSAGES * CLIENTS * TOPICS_OF_A_CLIENT) / TOPICS.length;
  expect(figures).toEqual({ deliveries, lost: 0, doubled: 0, outOfOrder: 0, reported: 0 });
  // Without these it would prove nothing.
  expect(dropped).toBeGreaterThan(CLIENTS);
  const parts = [...counted.keys()].map((fault) => fault.split(" ")[0]);
  expect(new Set(parts)).toEqual(new Set(["store", "post", "queue", "frame"]));
});

/** Whether it cut a connection that was alive. */
function maybeDrop(random: () => number): boolean {
  return random() < DROPS_A_BATCH && clients[Math.floor(random() * CLIENTS)]?.drop() === true;
}

function topicsOf(client: number): string[] {
  return TOPICS.filter((_, at) => (client * TOPICS_OF_A_CLIENT + at) % TOPICS.length < TOPICS_OF_A_CLIENT);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Each client's inboxes by topic. */
async function connectAll(): Promise<Map<string, Inbox>[]> {
  const inboxes: Map<string, Inbox>[] = [];
  while (inboxes.length < CLIENTS) {
    inboxes.push(connectOne(inboxes.length));
    if (inboxes.length % CONNECTING === 0) await Promise.all(clients.map(({ ready }) => ready));
  }
  return inboxes;
}

function connectOne(n: number): Map<string, Inbox> {
  const topics = topicsOf(n);
  const inbox = new Map<string, Inbox>(topics.map((topic) => [topic, { payloads: [], lost: 0 }]));
  clients.push(
    createRecoveringClient({
      url: host.wsUrl,
      topics,
      receive(topic, { messages, lost }) {
        const { payloads } = inbox.get(topic) as Inbox;
        payloads.push(...messages.map(({ payload }) => payload));
        if (lost !== undefined) (inbox.get(topic) as Inbox).lost += 1;
      },
    }),
  );
  return inbox;
}

/** Messages 0, 1, 2, … in batches of random sizes; their topics and publishers in turn. */
function batchesOf(random: () => number): number[][] {
  const batches: number[][] = [];
  for (let first = 0; first < MESSAGES; ) {
    const size = Math.min(MESSAGES - first, 1 + Math.floor(random() * MAX_BATCH));
    batches.push(Array.from({ length: size }, (_, at) => first + at));
    first += size;
  }
  return batches;
}

interface Publishing {
  /** What was acknowledged in each topic, in the order of its numbers. */
  readonly published: ReadonlyMap<string, readonly number[]>;
  /** Connections that were cut meanwhile. */
  readonly dropped: number;
}

async function publishAll(random: () => number): Promise<Publishing> {
  let dropped = 0;
  const numbers = new Map<string, Map<number, number>>(TOPICS.map((topic) => [topic, new Map()]));
  const epochs = new Set<string>();
  const batches = [...batchesOf(random).entries()];
  async function publishSome(): Promise<void> {
    for (let next = batches.shift(); next !== undefined; next = batches.shift()) {
      const [at, batch] = next;
      if (maybeDrop(random)) dropped += 1;
      const publisher = clients[at % CLIENTS] as RecoveringClient;
      const topic = topicsOf(at % CLIENTS)[at % TOPICS_OF_A_CLIENT] as string;
      const { epoch, seq } = await publisher.publish(topic, batch);
      // At the pace of deliveries: a machine that is asked for more than it can do only tests timeouts.
      while ((publisher.place(topic)?.seq ?? 0) < seq) await pause(POLL_MS);
      epochs.add(`${topic} ${epoch}`);
      for (const [back, n] of [...batch].reverse().entries()) {
        expect(numbers.get(topic)?.has(seq - back)).toBe(false);
        numbers.get(topic)?.set(seq - back, n);
      }
    }
  }
  await Promise.all(Array.from({ length: PUBLISHERS }, publishSome));
  expect(epochs.size).toBe(TOPICS.length);
  const inOrder = (bySeq: ReadonlyMap<number, number>) => [...bySeq].sort(([a], [b]) => a - b).map(([, n]) => n);
  return { published: new Map([...numbers].map(([topic, bySeq]) => [topic, inOrder(bySeq)])), dropped };
}

interface Figures {
  readonly deliveries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  /** What receivers said that they can't have. */
  readonly reported: number;
}

const REST_MS = 5_000;
const MAX_WAIT_MS = 60_000;

/** Resolves when every client has all that it must and no job posts any more, so that late copies are there too; or after a minute. */
async function comeToRest(
  inboxes: readonly ReadonlyMap<string, Inbox>[],
  published: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < MAX_WAIT_MS; waitedMs += REST_MS) {
    const before = host.wire?.counts().posts;
    await pause(REST_MS);
    if (host.wire?.counts().posts === before && compare(inboxes, published).lost === 0) return;
  }
}

function compare(
  inboxes: readonly ReadonlyMap<string, Inbox>[],
  published: ReadonlyMap<string, readonly number[]>,
): Figures {
  const figures = { deliveries: 0, lost: 0, doubled: 0, outOfOrder: 0, reported: 0 };
  for (const [topic, { payloads, lost }] of inboxes.flatMap((inbox) => [...inbox])) {
    const wanted = published.get(topic) ?? [];
    const got = new Set(payloads);
    figures.deliveries += payloads.length;
    figures.lost += wanted.filter((n) => !got.has(n)).length;
    figures.doubled += payloads.length - got.size;
    const rank = new Map(wanted.map((n, at) => [n, at]));
    const ranks = payloads.map((n) => rank.get(n as number) ?? -1);
    figures.outOfOrder += ranks.filter((at, i) => at < (ranks[i - 1] ?? 0)).length;
    figures.reported += lost;
  }
  return figures;
}
