import { fileURLToPath } from "node:url";
import { afterEach, expect, it, jest } from "@jest/globals";
import { type Cast, connect, type SocketConstructor, type State, type Topic } from "@topicast/client";
import { type Host, parseChaos, startHost } from "@topicast/local";
import WebSocket from "ws";
import { fastClock } from "./fast-clock.ts";

/*
 * The SDK against the real host, over real WebSockets on a bad network, while both take a second for twenty: who is subscribed has each message once
 * and in order, the last ones too.
 */

jest.setTimeout(240_000);

const SERVICE = fileURLToPath(new URL("../../../services/message-topic", import.meta.url));
const CHAOS = "drop=2,delay=50..400,duplicate=5,throttle=1,cut=60000..240000";
const SPEED = 20;
const MINUTE_MS = 60_000;
const CLIENTS = 20;
const TOPICS = Array.from({ length: 5 }, (_, n) => `room/${n}`);
const TOPICS_OF_A_CLIENT = 2;
/** How long a client rests between publishes, at most. */
const REST_MS = 8_000;
/** As often as it must be, and more often than it would be: each client changes its connection three times or more. */
const MAX_AGE_MS = 3 * MINUTE_MS;

const clock = fastClock(SPEED);
const casts: Cast[] = [];
let host: Host;
afterEach(async () => {
  for (const cast of casts) cast.close();
  await host.close();
});

interface Seat {
  readonly topic: Topic<number>;
  readonly payloads: number[];
  lost: number;
}

it("loses, doubles and reorders nothing in ten minutes of a bad network", async () => {
  const failures: string[] = [];
  host = await startHost({
    services: [SERVICE],
    port: 0,
    clock,
    environment: { POWERTOOLS_LOG_LEVEL: "SILENT", FANOUT_INLINE_MAX: "4" },
    faults: parseChaos(CHAOS).faults,
    // What the faults do to functions is what this is about.
    log: () => {},
  });
  const url = `ws://127.0.0.1:${host.port}/message-topic`;
  const states = new Map<State, number>();
  const seats = Array.from({ length: CLIENTS }, (_, n) => takeSeats(url, n, states));
  await Promise.all(seats.flat().map(({ topic }) => new Promise<void>((resolve) => topic.on("subscribed", resolve))));

  const numbers = new Map(TOPICS.map((topic) => [topic, new Map<number, number>()]));
  const until = clock.now() + 10 * MINUTE_MS;
  let published = 0;
  async function play(own: readonly Seat[]): Promise<void> {
    const answers: Promise<void>[] = [];
    while (clock.now() < until) {
      const { topic } = own[published % own.length]!;
      const payloads = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => ++published);
      for (const payload of payloads) {
        const answer = topic.publish(payload).then(
          (place) => void numbers.get(topic.name)!.set(place!.seq, payload),
          (error) => void failures.push(String(error)),
        );
        answers.push(answer);
      }
      await clock.sleep(Math.random() * REST_MS);
    }
    await Promise.all(answers);
  }
  await Promise.all(seats.map(play));

  const wanted = new Map([...numbers].map(([topic, bySeq]) => [topic, inOrder(bySeq)]));
  const isComplete = () =>
    seats.flat().every(({ topic, payloads }) => payloads.length >= wanted.get(topic.name)!.length);
  // The network stays as bad; who missed a last message asks with its next keep-alive, or the one after that.
  for (let waitedMs = 0; waitedMs < 8 * MINUTE_MS && !isComplete(); waitedMs += 1_000) await clock.sleep(1_000);
  await clock.sleep(10_000);

  const figures = compare(seats.flat(), wanted);
  process.stdout.write(
    `${CLIENTS} clients, ${published} messages, ${figures.deliveries} deliveries in 10 simulated minutes of ${CHAOS}; connected ${states.get("connected")} times: ${figures.lost} lost, ${figures.doubled} doubled, ${figures.outOfOrder} out of order\n`,
  );
  expect(failures).toEqual([]);
  expect(figures).toEqual({
    deliveries: (published * CLIENTS * TOPICS_OF_A_CLIENT) / TOPICS.length,
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    reported: 0,
  });
  // Without these it would prove nothing.
  expect(states.get("disconnected")).toBeGreaterThan(CLIENTS);
  expect(published).toBeGreaterThan(2_000);
});

function takeSeats(url: string, n: number, states: Map<State, number>): Seat[] {
  const cast = connect(url, {
    WebSocket: WebSocket as unknown as SocketConstructor,
    client: `client-number-${n}-of-this-test`,
    maxAgeMs: MAX_AGE_MS,
    now: clock.now,
    after: clock.after,
  });
  casts.push(cast);
  cast.on("state", (state) => states.set(state, (states.get(state) ?? 0) + 1));
  const topics = TOPICS.filter((_, at) => (n * TOPICS_OF_A_CLIENT + at) % TOPICS.length < TOPICS_OF_A_CLIENT);
  return topics.map((name) => {
    const seat: Seat = { topic: cast.topic<number>(name), payloads: [], lost: 0 };
    seat.topic.on("lost", () => {
      seat.lost += 1;
    });
    seat.topic.on("message", ({ payload }) => seat.payloads.push(payload));
    return seat;
  });
}

function inOrder(bySeq: ReadonlyMap<number, number>): number[] {
  return [...bySeq].sort(([a], [b]) => a - b).map(([, payload]) => payload);
}

function compare(seats: readonly Seat[], wanted: ReadonlyMap<string, readonly number[]>) {
  const figures = { deliveries: 0, lost: 0, doubled: 0, outOfOrder: 0, reported: 0 };
  for (const { topic, payloads, lost } of seats) {
    const all = wanted.get(topic.name)!;
    const got = new Set(payloads);
    const rank = new Map(all.map((payload, at) => [payload, at]));
    const ranks = payloads.map((payload) => rank.get(payload) ?? -1);
    figures.deliveries += payloads.length;
    figures.lost += all.filter((payload) => !got.has(payload)).length;
    figures.doubled += payloads.length - got.size;
    figures.outOfOrder += ranks.filter((at, n) => at < (ranks[n - 1] ?? 0)).length;
    figures.reported += lost;
  }
  return figures;
}
