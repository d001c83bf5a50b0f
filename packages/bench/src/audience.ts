import type { Dialect } from "./dialects/dialect.ts";
import { type LoadConnection, openLoadConnection } from "./load-connection.ts";

/** Connections that are opened at a time. */
const CONNECTING_AT_ONCE = 50;
/** After which what didn't come is lost. */
const STALLED_MS = 20_000;
/** What comes twice has come by then. */
const SURPLUS_MS = 50;

/** All subscribers of a server, and who publishes to them. */
export interface Audience {
  readonly topics: number;
  readonly subscribersOfEach: number;
  /** Opens so many connections, a bounded number at a time. */
  connect(connections: number): Promise<void>;
  /** Subscribes all connections. Neighbours take neighbouring topics, so that each topic gets its subscribers. */
  subscribe(topics: number, subscribersOfEach: number): Promise<void>;
  /** Publishes, in one write, one payload to each of the topics in turn. */
  publish(payloads: readonly string[]): void;
  /** Publishes ever, and deliveries of them. */
  readonly published: number;
  readonly deliveries: number;
  /** Called when deliveries came. */
  onDeliveries: () => void;
  /** Sees each message that has deliveries in it. */
  watch(look: ((bytes: Buffer, deliveries: number) => void) | undefined): void;
  /** When the last delivery had come, by `performance.now()`, as `complete` knows. */
  readonly completedAt: number;
  /** Resolves when all that was published has arrived, once at each subscriber, and is acknowledged. */
  complete(): Promise<void>;
}

export function createAudience(url: string, dialect: Dialect, onLost: (error: Error) => void): Audience {
  const subscribers: LoadConnection[] = [];
  let publisher: LoadConnection | undefined;
  let deliveries = 0;
  let published = 0;
  let completedAt = 0;

  const open = () =>
    openLoadConnection({
      url,
      dialect,
      onLost,
      onDeliveries(count) {
        deliveries += count;
        audience.onDeliveries();
      },
    });

  async function openSome(connections: number): Promise<void> {
    while (subscribers.length + opening < connections) {
      opening += 1;
      const opened = await open();
      opening -= 1;
      subscribers.push(opened);
    }
  }
  let opening = 0;

  const topicsOf = (index: number) => {
    const each = (audience.topics * audience.subscribersOfEach) / subscribers.length;
    return Array.from({ length: each }, (_, at) => (index * each + at) % audience.topics);
  };

  /** Deliveries that a subscriber should have had. */
  function expectedAt(index: number): number {
    const { topics } = audience;
    const publishesTo = (topic: number) => Math.floor((published + topics - 1 - topic) / topics);
    return topicsOf(index).reduce((sum, topic) => sum + publishesTo(topic), 0);
  }

  function verify(): void {
    for (const [index, { deliveries: actual }] of subscribers.entries()) {
      const expected = expectedAt(index);
      if (actual !== expected) throw new Error(`A subscriber had ${actual} deliveries instead of ${expected}.`);
    }
  }

  const audience: Audience & { topics: number; subscribersOfEach: number } = {
    topics: 0,
    subscribersOfEach: 0,
    onDeliveries: () => {},
    get published() {
      return published;
    },
    get deliveries() {
      return deliveries;
    },
    get completedAt() {
      return completedAt;
    },
    async connect(connections) {
      await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, () => openSome(connections)));
    },
    async subscribe(topics, subscribersOfEach) {
      audience.topics = topics;
      audience.subscribersOfEach = subscribersOfEach;
      await Promise.all(
        subscribers.map((subscriber, index) => {
          const frames = topicsOf(index).map((topic, at) => dialect.subscribe(nameOf(topic), at + 1));
          subscriber.send(Buffer.concat(frames));
          return subscriber.acked(frames.length);
        }),
      );
      publisher = await open();
    },
    publish(payloads) {
      const frames = payloads.map((payload, at) => {
        const number = published + at;
        return dialect.publish(nameOf(number % audience.topics), payload, number);
      });
      published += payloads.length;
      publisher?.send(Buffer.concat(frames));
    },
    watch(look) {
      for (const subscriber of subscribers) subscriber.watch = look;
    },
    async complete() {
      const wanted = published * audience.subscribersOfEach;
      for (let before = -1; deliveries < wanted; ) {
        if (before === deliveries) throw new Error(`Of ${wanted} deliveries only ${deliveries} came.`);
        before = deliveries;
        await moved(audience, wanted);
      }
      completedAt = performance.now();
      if (dialect.acksPublishes) await publisher?.acked(published);
      await new Promise((resolve) => setTimeout(resolve, SURPLUS_MS));
      verify();
    },
  };
  return audience;
}

/** Resolves when there are as many deliveries as wanted, or after a time in which there should have been some. */
function moved(audience: Audience, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, STALLED_MS);
    const { onDeliveries } = audience;
    function done(): void {
      clearTimeout(timer);
      audience.onDeliveries = onDeliveries;
      resolve();
    }
    audience.onDeliveries = () => {
      onDeliveries();
      if (audience.deliveries >= wanted) done();
    };
  });
}

function nameOf(topic: number): string {
  return `bench/${topic}`;
}
