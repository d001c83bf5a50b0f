import { once } from "node:events";
import { createSecret, mintToken } from "@topicast/core";
import autocannon from "autocannon";
import WebSocket from "ws";
import { type ServerProcess, startHostProcess } from "./server-process.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/** Requests under way at once, each on a socket of its own. */
const CONNECTIONS = 32;
const WARM_UP_SECONDS = 2;
const TOPIC = "bench/1";
const PAYLOAD = "x".repeat(64);
const MESSAGES_FRAME = Buffer.from('{"type":"messages"');

interface Scenario {
  readonly name: string;
  readonly path: string;
  readonly body: object;
  readonly messagesOfEach: number;
}

const hundred = <T>(make: (index: number) => T) => Array.from({ length: 100 }, (_, index) => make(index));

const SCENARIOS: readonly Scenario[] = [
  {
    name: "one message a request",
    path: `/topics/${TOPIC}/messages`,
    body: { payload: PAYLOAD },
    messagesOfEach: 1,
  },
  {
    name: "`payloads` of 100",
    path: `/topics/${TOPIC}/messages`,
    body: { payloads: hundred(() => PAYLOAD) },
    messagesOfEach: 100,
  },
  {
    name: "`POST /messages` of 100 to one topic",
    path: "/messages",
    body: { messages: hundred(() => ({ topic: TOPIC, payload: PAYLOAD })) },
    messagesOfEach: 100,
  },
  {
    name: "`POST /messages` of 100 to 100 topics",
    path: "/messages",
    body: { messages: hundred((index) => ({ topic: `bench/${index}`, payload: PAYLOAD })) },
    messagesOfEach: 100,
  },
];
/** Of `bench/1`. */
const SUBSCRIBERS = [0, 1];

interface Measured {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** What the host used for each: on a busy machine it says more than the rate. NaN where that can't be told. */
  readonly hostMsOfEach: number;
  /** The share of one core that this load generator used: near 1 it is the bottleneck. */
  readonly generatorCpu: number;
}

/** Publishes a second over HTTP, each acknowledged, with keys checked; in interleaved runs, each with a host of its own. */
export async function benchHttpPublish(runs: number, seconds: number): Promise<void> {
  const cases = SCENARIOS.flatMap((scenario) => SUBSCRIBERS.map((subscribers) => ({ scenario, subscribers })));
  const results = new Map(cases.map((one) => [one, [] as Measured[]]));
  for (let run = 1; run <= runs; run++) {
    for (const one of cases) {
      process.stderr.write(`run ${run} of ${runs}: ${one.scenario.name}, subscribers: ${one.subscribers}\n`);
      results.get(one)?.push(await measureOnce(one.scenario, one.subscribers, seconds));
    }
  }
  process.stdout.write(
    "| | subscribers | requests a second, median (lowest to highest) | messages a second | p99, ms | host's ms of a core for each request | load generator's share of a core |\n|---|---|---|---|---|---|---|\n",
  );
  for (const [{ scenario, subscribers }, measured] of results) {
    const rates = spreadOf(measured.map(({ requestsPerSecond }) => requestsPerSecond));
    const messages = spreadOf(measured.map(({ requestsPerSecond }) => requestsPerSecond * scenario.messagesOfEach));
    const p99 = spreadOf(measured.map(({ p99Ms }) => p99Ms));
    const host = spreadOf(measured.map(({ hostMsOfEach }) => hostMsOfEach));
    const cpu = spreadOf(measured.map(({ generatorCpu }) => generatorCpu));
    const cells = [scenario.name, subscribers, formatSpread(rates), formatSpread(messages)];
    const costs = [formatSpread(p99), formatSpread(host, 2), formatSpread(cpu, 2)];
    process.stdout.write(`| ${[...cells, ...costs].join(" | ")} |\n`);
  }
}

async function measureOnce(scenario: Scenario, subscribers: number, seconds: number): Promise<Measured> {
  const key = `default.k1:${createSecret()}`;
  const host = await startHostProcess({ parameters: ["--auth"], environment: { TOPICAST_KEY: key } });
  try {
    const sockets = await Promise.all(Array.from({ length: subscribers }, () => subscribe(host.url, key)));
    const load = (duration: number) => publishFor(host.url.replace("ws:", "http:"), key, scenario, duration);
    await load(WARM_UP_SECONDS);
    const cpu = process.cpuUsage();
    const hostBefore = cpuSecondsOf(host);
    const startedAt = performance.now();
    const { accepted, p99Ms } = await load(seconds);
    const elapsedS = (performance.now() - startedAt) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const hostMsOfEach = ((cpuSecondsOf(host) - hostBefore) * 1_000) / accepted;
    for (const socket of sockets) socket.terminate();
    const generatorCpu = (user + system) / 1e6 / elapsedS;
    return { requestsPerSecond: accepted / elapsedS, p99Ms, hostMsOfEach, generatorCpu };
  } finally {
    await host.stop();
  }
}

function cpuSecondsOf(host: ServerProcess): number {
  return host.usage()?.cpuSeconds ?? Number.NaN;
}

/** Throws where a request isn't accepted. */
async function publishFor(httpUrl: string, key: string, { path, body }: Scenario, duration: number) {
  const result = await autocannon({
    url: `${httpUrl}${path}`,
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    connections: CONNECTIONS,
    duration,
  });
  const { errors, non2xx } = result;
  if (errors + non2xx > 0) throw new Error(`${errors} requests failed, ${non2xx} were refused.`);
  return { accepted: result["2xx"], p99Ms: result.latency.p99 };
}

/** A subscriber that reads what comes. */
async function subscribe(url: string, key: string): Promise<WebSocket> {
  const token = await mintToken({ key, sub: "bench", cap: { "*": ["subscribe"] }, lifetimeMs: 3_600_000 });
  if (!token.ok) throw new Error(token.fault.message);
  const headers = { authorization: `Bearer ${token.value}` };
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  await once(socket, "open");
  socket.send(JSON.stringify({ action: "subscribe", topic: TOPIC, id: "s" }));
  const [ack] = await once(socket, "message");
  if (!String(ack).startsWith('{"type":"ack"')) throw new Error(`No ack but ${ack}`);
  socket.on("message", (data: Buffer) => {
    if (!data.subarray(0, MESSAGES_FRAME.length).equals(MESSAGES_FRAME)) throw new Error(`No messages but ${data}`);
  });
  return socket;
}
