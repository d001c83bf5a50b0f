import { once } from "node:events";
import WebSocket from "ws";

/** Connections that are opened at a time. */
const CONNECTING_AT_ONCE = 50;
const MESSAGES_FRAME = Buffer.from('{"type":"messages"');
const ACK_FRAME = Buffer.from('{"type":"ack"');
const PAYLOAD = "x".repeat(64);

export interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly topics: number;
  readonly subscribersOfEach: number;
  /** Publishes of which not every subscriber has its message yet, at any moment. */
  readonly outstanding: number;
  readonly seconds: number;
}

export interface Measured {
  readonly deliveriesPerSecond: number;
  /** The share of one core that this load generator used: near 1 it is the bottleneck. */
  readonly generatorCpu: number;
}

/** Subscribes the scenario's connections, then publishes as fast as deliveries arrive. Throws where one gets lost or refused. */
export async function measure(url: string, scenario: Scenario): Promise<Measured> {
  const sockets = await connectAll(url, scenario);
  const publisher = await open(url);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const deliveries = await publishFor(publisher, sockets, scenario);
  const elapsedS = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all([publisher, ...sockets].map(close));
  return { deliveriesPerSecond: deliveries / elapsedS, generatorCpu: (user + system) / 1e6 / elapsedS };
}

/** Publishes for the scenario's time, and resolves with the number of deliveries when the last has come. */
function publishFor(publisher: WebSocket, sockets: readonly WebSocket[], scenario: Scenario): Promise<number> {
  const { topics, subscribersOfEach, outstanding, seconds } = scenario;
  let sent = 0;
  let deliveries = 0;
  let isRunning = true;
  return new Promise((resolve, reject) => {
    const publish = () => {
      sent += 1;
      const topic = `bench/${sent % topics}`;
      publisher.send(JSON.stringify({ action: "publish", topic, id: String(sent), payload: PAYLOAD }));
    };
    const onDelivery = (data: Buffer) => {
      if (!data.subarray(0, MESSAGES_FRAME.length).equals(MESSAGES_FRAME)) return;
      deliveries += 1;
      if (deliveries % subscribersOfEach !== 0) return;
      if (isRunning) publish();
      else if (deliveries === sent * subscribersOfEach) resolve(deliveries);
    };
    for (const socket of sockets) socket.on("message", onDelivery);
    publisher.on("message", (data: Buffer) => {
      if (!data.subarray(0, ACK_FRAME.length).equals(ACK_FRAME)) reject(new Error(`No ack but ${data.toString()}`));
    });
    for (let i = 0; i < outstanding; i++) publish();
    setTimeout(() => {
      isRunning = false;
    }, seconds * 1_000);
  });
}

async function connectAll(url: string, scenario: Scenario): Promise<WebSocket[]> {
  const { connections, topics, subscribersOfEach } = scenario;
  const subscriptionsOfEach = (topics * subscribersOfEach) / connections;
  const sockets: WebSocket[] = [];
  for (let first = 0; first < connections; first += CONNECTING_AT_ONCE) {
    const count = Math.min(CONNECTING_AT_ONCE, connections - first);
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => open(url)))));
  }
  // Neighbours take neighbouring topics, so that each topic gets its subscribers.
  const subscribing = sockets.map(async (socket, index) => {
    for (let i = 0; i < subscriptionsOfEach; i++) await subscribe(socket, (index * subscriptionsOfEach + i) % topics);
  });
  await Promise.all(subscribing);
  return sockets;
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  return socket;
}

async function subscribe(socket: WebSocket, topic: number): Promise<void> {
  socket.send(JSON.stringify({ action: "subscribe", topic: `bench/${topic}`, id: "s" }));
  const [data] = await once(socket, "message");
  if (!String(data).startsWith('{"type":"ack"')) throw new Error(`No ack but ${data}`);
}

async function close(socket: WebSocket): Promise<void> {
  socket.close();
  await once(socket, "close");
}
