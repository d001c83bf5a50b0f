import { createReceiver, type Message, type Place, type Receiver, type Topic } from "@topicast/protocol";
import { aConnectionId, createRandom, fewAtATime } from "@topicast/testing";
import { createMemoryQueue } from "../src/drivers/fanout-queue/memory.ts";
import { createMovingConnectionStore } from "../src/drivers/moving/connection-store.ts";
import { createMovingTopicLog } from "../src/drivers/moving/topic-log.ts";
import {
  type ConnectionGateway,
  type ConnectionId,
  type ConnectionStore,
  connect,
  DEFAULT_APP,
  EVERYTHING,
  findBehind,
  type Job,
  publish,
  readHistory,
  type Service,
  subscribe,
  systemClock,
  type Target,
  UnavailableError,
} from "../src/index.ts";
import type { MovableTopicLog } from "../src/ports/topic-mover.ts";
import { doJob } from "../src/use-cases/do-job.ts";
import { testService } from "./test-service.ts";

/** 0 to 3: all in the first store, both and the first is to have the topics, both and the second, all in the second. */
export type MoveStep = 0 | 1 | 2 | 3;

export interface MovingLoadOptions {
  readonly connections: readonly [ConnectionStore, ConnectionStore];
  readonly logs: readonly [MovableTopicLog, MovableTopicLog];
  readonly clients: number;
  readonly topics: readonly Topic[];
  readonly messagesPerSecond: number;
  /** Messages of a publish. */
  readonly batch: number;
  /** How long a topic stays where it went: longer than the processes take to change, and than any call. */
  readonly holdMs: number;
  /** How long the processes take to change, one after the other. */
  readonly changeMs: number;
  /** How long a step lasts; each client is cut once in it, so that no connection lives longer, as none lives longer than two hours. */
  readonly stepMs: number;
}

const PROCESSES = 4;
const CALLER = { app: DEFAULT_APP, access: EVERYTHING };
const WATCH_MS = 25;
const RETRY_MS = 20;
/** Messages that a client may lack before publishers wait: on a slow machine it would fall behind what history keeps. */
const MAX_BEHIND = 400;
/** Between two looks at whether all have caught up. */
const ROUND_MS = 250;
/** Looks after which what is still missing is lost. */
const VAIN_ROUNDS = 60;
const PLENTY = () => 60_000;

interface Client {
  readonly topic: Topic;
  readonly receiver: Receiver;
  readonly payloads: unknown[];
  lost: number;
  connectionId: ConnectionId | undefined;
  isAsking: boolean;
}

/** A service of some processes, each in a step of the move, with clients that publish, receive, and come back when they are cut. */
export function createMovingLoad(options: MovingLoadOptions) {
  const { logs, topics, holdMs, changeMs, stepMs } = options;
  const random = createRandom(1);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const clients = Array.from({ length: options.clients }, (_, n): Client => {
    const about = { payloads: [], lost: 0, connectionId: undefined, isAsking: false };
    return { topic: topics[n % topics.length] as Topic, receiver: createReceiver(random), ...about };
  });
  const open = new Map<ConnectionId, Client>();
  const places = new Map<string, string>();
  const acknowledged = new Map<Topic, number[]>(topics.map((topic) => [topic, []]));
  let isOver = false;
  let isBehind = false;
  let retries = 0;

  const gateway: ConnectionGateway = {
    async post<T extends Target>(targets: readonly T[], frame: string) {
      const { topic: _, ...messages } = JSON.parse(frame);
      const gone = targets.filter(({ id }) => !open.has(id));
      for (const { id } of targets) {
        const client = open.get(id);
        if (client) accept(client, client.receiver.receive(messages, Date.now()));
      }
      return { gone, throttled: [], failed: [] };
    },
    close: async () => "closed",
    look: async () => undefined,
  };
  const queue = createMemoryQueue({ clock: systemClock, visibilityTimeoutMs: 100 });
  const processes = Array.from({ length: PROCESSES }, () => ({ step: 0 as MoveStep, services: servicesOf() }));
  const aService = () => {
    const { services, step } = pick(processes);
    return services[step] as Service;
  };

  function servicesOf(): readonly Service[] {
    const [one, two] = options.connections;
    const both = (owner: 0 | 1) => createMovingConnectionStore({ stores: [one, two], owner });
    const moving = (owner: 0 | 1) => createMovingTopicLog({ stores: logs, owner, clock: systemClock, holdMs });
    const stores = [
      { connections: one, log: logs[0] },
      { connections: both(0), log: moving(0) },
      { connections: both(1), log: moving(1) },
      { connections: two, log: logs[1] },
    ];
    const { logger, envelope, settings, applications } = testService();
    const about = { address: "local", applications, logger, envelope, settings, clock: systemClock, queue, gateway };
    return stores.map((store) => ({ ...about, ...store }));
  }

  function accept(client: Client, { messages, lost }: { messages: readonly Message[]; lost?: unknown }): void {
    client.payloads.push(...messages.map(({ payload }) => payload));
    if (lost !== undefined) client.lost += 1;
  }

  /** Again and again, by any process, as a client does that is answered `unavailable`. */
  async function persist<T>(call: (service: Service) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call(aService());
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        retries += 1;
        await systemClock.sleep(RETRY_MS);
      }
    }
  }

  async function comeBack(client: Client): Promise<void> {
    if (client.connectionId !== undefined) open.delete(client.connectionId);
    const target = { id: aConnectionId(), address: "local", connectedAt: Date.now() };
    open.set(target.id, client);
    client.connectionId = target.id;
    const since = client.receiver.place;
    const query = since && { since, limit: 100 };
    await persist((service) => connect(service, { caller: CALLER, target }));
    const { topic } = client;
    const subscribed = await persist((service) =>
      subscribe(service, { caller: CALLER, topic, target, ...(query && { query }) }),
    );
    if (!subscribed.ok) throw new Error(`A subscribe was answered ${JSON.stringify(subscribed.fault)}.`);
    const { place, ...page } = subscribed.value.history;
    accept(client, client.receiver.ack({ ...place, ...page }, since, Date.now()));
  }

  async function recover(client: Client, since: Place): Promise<void> {
    client.isAsking = true;
    const input = { app: DEFAULT_APP, topic: client.topic, query: { since, limit: 100 } };
    const { place, ...page } = await persist((service) => readHistory(service, input));
    client.isAsking = false;
    accept(client, client.receiver.ack({ ...place, ...page }, since, Date.now()));
  }

  /** Fills gaps when their time has come. */
  async function watch(): Promise<void> {
    while (!isOver) {
      await systemClock.sleep(WATCH_MS);
      isBehind = clients.some(
        ({ topic, payloads }) => (acknowledged.get(topic)?.length ?? 0) - payloads.length > MAX_BEHIND,
      );
      for (const client of clients.filter(({ isAsking }) => !isAsking)) {
        const since = client.receiver.ask(Date.now());
        if (since !== undefined) void recover(client, since);
      }
    }
  }

  async function work(): Promise<void> {
    while (!isOver) {
      const records = queue.receive(10);
      await Promise.all(
        records.map(async ({ body, receiptHandle }) => {
          const job = JSON.parse(body) as Job;
          await doJob(aService(), job, PLENTY).then(
            () => queue.delete(receiptHandle),
            () => queue.release(receiptHandle),
          );
        }),
      );
      if (records.length === 0) await systemClock.sleep(5);
    }
  }

  /** With a key; and now and then once more by another process, which must answer the same. */
  async function publishOne(first: number): Promise<void> {
    const topic = pick(topics);
    const payloads = Array.from({ length: options.batch }, (_, n) => first + n);
    const input = { app: DEFAULT_APP, topic, payloads, from: "load", echo: true, key: `k${first}` };
    const result = await persist((service) => publish(service, input));
    if (!result.ok || result.value === undefined) throw new Error("A publish was refused.");
    const place = `${topic} ${result.value.epoch} ${result.value.seq}`;
    if (places.has(place)) throw new Error(`The number ${place} was given twice.`);
    places.set(place, `k${first}`);
    acknowledged.get(topic)?.push(...payloads);
    if (random() > 0.05) return;
    const again = await persist((service) => publish(service, input));
    if (JSON.stringify(again) !== JSON.stringify(result)) throw new Error(`The key k${first} has two answers.`);
  }

  async function publishAll(untilOver: () => boolean): Promise<void> {
    const startedAt = Date.now();
    const running = new Set<Promise<void>>();
    for (let sent = 0; !untilOver(); ) {
      const due = ((Date.now() - startedAt) / 1_000) * options.messagesPerSecond;
      while (!isBehind && sent < due && running.size < 64) {
        const publishing = publishOne(sent).finally(() => running.delete(publishing));
        running.add(publishing);
        sent += options.batch;
      }
      await Promise.race([systemClock.sleep(5), ...running]);
    }
    await Promise.all(running);
  }

  /** Each process for itself, and then for a while all are in it, while each client is cut once. */
  async function enter(step: MoveStep): Promise<void> {
    for (const one of processes) {
      one.step = step;
      await systemClock.sleep(changeMs / PROCESSES);
    }
    const cuts = clients.map(async (client, n) => {
      await systemClock.sleep((n * stepMs) / clients.length);
      await comeBack(client);
    });
    await Promise.all(cuts);
  }

  /**
   * Until every client has what is published by now; or until nobody got anything new though each asked again and again: how long that takes
   * is a matter of the machine.
   */
  async function catchUp(): Promise<void> {
    const published = new Map([...acknowledged].map(([topic, numbers]) => [topic, numbers.length]));
    const isDone = () => clients.every(({ topic, payloads }) => payloads.length >= (published.get(topic) ?? 0));
    const received = () => clients.reduce((sum, { payloads }) => sum + payloads.length, 0);
    for (let vain = 0; vain < VAIN_ROUNDS && !isDone(); vain++) {
      const before = received();
      await systemClock.sleep(ROUND_MS);
      await fewAtATime(clients, askAboutTail);
      if (received() > before) vain = 0;
    }
  }

  async function askAboutTail({ topic, receiver }: Client): Promise<void> {
    const { place } = receiver;
    const behind = place && (await persist((service) => findBehind(service, DEFAULT_APP, [{ topic, place }])));
    if (behind?.length) receiver.check(Date.now());
  }

  return {
    /** Publishes all the while; what came of it. */
    async walk(steps: readonly MoveStep[]) {
      let isWalked = false;
      const background = Promise.all([watch(), work()]);
      await Promise.all(clients.map(comeBack));
      const startedAt = Date.now();
      const publishing = publishAll(() => isWalked);
      const walking = (async () => {
        let owner = 0;
        let movedAt = Number.NEGATIVE_INFINITY;
        for (const step of steps) {
          const isMove = owner !== ownerIn(step);
          // As an operator does: topics that only just came stay, and who knows one store can't read what was published in the other.
          if (isMove) await systemClock.sleep(Math.max(0, movedAt + holdMs - Date.now()));
          if (step === 0 || step === 3) await catchUp();
          await enter(step);
          if (isMove) movedAt = Date.now();
          owner = ownerIn(step);
        }
      })().finally(() => {
        isWalked = true;
      });
      await Promise.all([publishing, walking]);
      const seconds = (Date.now() - startedAt) / 1_000;
      await catchUp();
      isOver = true;
      await background;
      return { ...figuresOf(clients, acknowledged, retries), seconds };
    },
  };
}

function ownerIn(step: MoveStep): 0 | 1 {
  return step < 2 ? 0 : 1;
}

function figuresOf(clients: readonly Client[], acknowledged: ReadonlyMap<Topic, readonly number[]>, retries: number) {
  const figures = { messages: 0, deliveries: 0, lost: 0, doubled: 0, reported: 0, retries };
  for (const numbers of acknowledged.values()) figures.messages += numbers.length;
  for (const { topic, payloads, lost } of clients) {
    const got = new Set(payloads);
    figures.deliveries += payloads.length;
    figures.lost += (acknowledged.get(topic) ?? []).filter((payload) => !got.has(payload)).length;
    figures.doubled += payloads.length - got.size;
    figures.reported += lost;
  }
  return figures;
}
