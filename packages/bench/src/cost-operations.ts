import { connectRawClient, type RawClient } from "@topicast/testing/raw-client";

/** The most that the design allows an operation to consume. */
export interface Budget {
  readonly readUnits?: number;
  readonly writeUnits?: number;
  readonly queueRequests?: number;
  readonly posts?: number;
  /** Of a client's publish: everything but API Gateway's own charge, in parts of that. See `prices.ts`. */
  readonly share?: number;
}

export interface Operation {
  readonly name: string;
  readonly budget: Budget;
  /** Done before counting begins; the clients are closed in the end. */
  readonly prepare: (services: Services) => Promise<RawClient[]>;
  readonly run: (clients: RawClient[], services: Services) => Promise<unknown>;
}

export interface Services {
  /** WebSocket addresses. */
  readonly topic: string;
  readonly broadcast: string;
  /** HTTP address. */
  readonly topicHttp: string;
}

const KILOBYTE = "x".repeat(1_000);
const isMessages = ({ type }: { type: string }) => type === "messages";

/** Connects clients, the first of them without a topic, the others subscribed to `topic`. */
async function connectSubscribers({ topic: url }: Services, topic: string, count: number): Promise<RawClient[]> {
  const clients = [await connectRawClient(url)];
  // One after the other: an emulator that many ask at once keeps them waiting for too long.
  for (let i = 0; i < count; i++) {
    const client = await connectRawClient(url);
    // Again where the emulator was late, on a busy machine: counting hasn't begun.
    for (let ack = { type: "" }; ack.type !== "ack"; ) ack = await client.request({ action: "subscribe", topic });
    clients.push(client);
  }
  return clients;
}

/** The first client publishes; done when every other has the message. */
async function publish([publisher, ...subscribers]: RawClient[], message: object): Promise<void> {
  await (publisher as RawClient).request({ action: "publish", ...message });
  await Promise.all(subscribers.map((subscriber) => subscriber.count(1, isMessages)));
}

function publishTo(count: number, path: string, share?: number): Operation {
  const topic = `cost/publish-${count}`;
  return {
    name: `publish 1 KB to ${count} subscribers ${path}`,
    // Half a unit for the sender, one for each 40 subscribers that a worker reads, and one for the publisher's look at the topic's size.
    budget: {
      readUnits: count <= 16 ? 1.5 : 1.5 + Math.ceil(count / 40),
      writeUnits: 2,
      queueRequests: count <= 16 ? 0 : 3,
      posts: count,
      ...(share !== undefined && { share }),
    },
    prepare: (services) => connectSubscribers(services, topic, count),
    run: (clients) => publish(clients, { topic, payload: KILOBYTE }),
  };
}

const single = async ({ topic }: Services) => [await connectRawClient(topic)];
const first = ([client]: RawClient[]) => client as RawClient;

const keyed = (topic: string) => ({ topic, payload: KILOBYTE, key: "k" });

function placesOf(count: number) {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`cost/${i}`, { epoch: "e", seq: 1 }]));
}

/** A publisher, which has published so many messages of 1 KB, and another client. */
async function connectAndPublish({ topic: url }: Services, topic: string, count: number): Promise<RawClient[]> {
  const publisher = await connectRawClient(url);
  for (let i = 0; i < count; i++) await publisher.request({ action: "publish", topic, payload: KILOBYTE });
  return [publisher, await connectRawClient(url)];
}

/** Subscribes with the place before the topic's first message. */
async function recover(client: RawClient, topic: string): Promise<void> {
  const { epoch } = await client.request({ action: "history", topic, last: 1 });
  const ack = await client.request({ action: "subscribe", topic, since: { epoch, seq: 0 } });
  if (!ack.recovered) throw new Error("What was missed did not come.");
}

export const OPERATIONS: readonly Operation[] = [
  {
    name: "connect",
    budget: { writeUnits: 1 },
    prepare: async () => [],
    run: async (clients, { topic }) => clients.push(await connectRawClient(topic)),
  },
  {
    name: "connect as a user",
    budget: { writeUnits: 2 },
    prepare: async () => [],
    run: async (clients, { topic }) => clients.push(await connectRawClient(`${topic}?client=${"c".repeat(16)}`)),
  },
  {
    name: "connect to a room (broadcast)",
    budget: { writeUnits: 2 },
    prepare: async () => [],
    run: async (clients, { broadcast }) => clients.push(await connectRawClient(`${broadcast}?room_id=cost`)),
  },
  {
    name: "subscribe, the topic's first",
    budget: { writeUnits: 3 },
    prepare: single,
    run: (clients) => first(clients).request({ action: "subscribe", topic: "cost/new" }),
  },
  {
    name: "subscribe",
    budget: { writeUnits: 2 },
    prepare: single,
    run: (clients) => first(clients).request({ action: "subscribe", topic: "cost/new" }),
  },
  {
    name: "unsubscribe",
    budget: {},
    prepare: async (services) => (await connectSubscribers(services, "cost/leave", 1)).slice(1),
    run: (clients) => first(clients).request({ action: "unsubscribe", topic: "cost/leave" }),
  },
  {
    name: "disconnect with 3 topics",
    budget: { readUnits: 1, writeUnits: 4 },
    async prepare(services) {
      const [client] = await single(services);
      for (const topic of ["cost/a", "cost/b", "cost/c"]) await client?.request({ action: "subscribe", topic });
      return client === undefined ? [] : [client];
    },
    run: (clients) => first(clients).close(),
  },
  {
    name: "ping",
    budget: { writeUnits: 0 },
    prepare: single,
    run: (clients) => first(clients).request({ action: "ping" }),
  },
  {
    name: "ping with 10 places",
    budget: { readUnits: 10.5, writeUnits: 0 },
    prepare: single,
    run: (clients) => first(clients).request({ action: "ping", places: placesOf(10) }),
  },
  {
    name: "subscribe and get 10 missed messages of 1 KB",
    budget: { readUnits: 10, writeUnits: 2 },
    prepare: (services) => connectAndPublish(services, "cost/missed", 10),
    run: ([, client]) => recover(client as RawClient, "cost/missed"),
  },
  {
    name: "the newest 10 messages of 1 KB",
    budget: { readUnits: 10, writeUnits: 0 },
    prepare: (services) => connectAndPublish(services, "cost/newest", 10),
    run: ([, client]) => (client as RawClient).request({ action: "history", topic: "cost/newest", last: 10 }),
  },
  {
    name: "publish 1 KB with a key",
    budget: { readUnits: 2, writeUnits: 3 },
    prepare: single,
    run: (clients) => publish(clients, keyed("cost/key")),
  },
  {
    name: "the same key again",
    budget: { readUnits: 4, writeUnits: 0 },
    async prepare(services) {
      const clients = await single(services);
      await publish(clients, keyed("cost/again"));
      return clients;
    },
    run: (clients) => publish(clients, keyed("cost/again")),
  },
  {
    name: "delete a topic with 10 subscribers",
    budget: { readUnits: 1, writeUnits: 11, posts: 10 },
    prepare: async (services) => (await connectSubscribers(services, "cost/delete", 10)).slice(1),
    async run(clients, { topicHttp }) {
      await fetch(`${topicHttp}/topics/cost/delete`, { method: "DELETE" });
      await Promise.all(clients.map((client) => client.frame(({ type }) => type === "closing")));
    },
  },
  publishTo(0, "(nobody)"),
  publishTo(1, "at once"),
  publishTo(10, "at once", 0.2),
  publishTo(16, "at once"),
  publishTo(40, "through the queue"),
  publishTo(100, "through the queue"),
  {
    name: "publish ephemeral to 10 subscribers",
    budget: { writeUnits: 0, share: 0.06 },
    prepare: (services) => connectSubscribers(services, "cost/ephemeral", 10),
    run: (clients) => publish(clients, { topic: "cost/ephemeral", payload: "x", ephemeral: true }),
  },
  {
    name: "publish 1 KB to 10 subscribers over HTTP",
    budget: { writeUnits: 2 },
    prepare: async (services) => (await connectSubscribers(services, "cost/http", 10)).slice(1),
    async run(clients, { topicHttp }) {
      const body = JSON.stringify({ payload: KILOBYTE });
      const { status } = await fetch(`${topicHttp}/topics/cost/http/messages`, { method: "POST", body });
      if (status !== 202) throw new Error(`The publish was answered ${status}.`);
      await Promise.all(clients.map((client) => client.count(1, isMessages)));
    },
  },
  // The last, because its clients take their time to leave.
  publishTo(1_000, "through the queue", 0.02),
];
