import { setTimeout } from "node:timers/promises";
import type { Contestant } from "./contestants/index.ts";
import { type LoadGenerator, startLoadGenerator } from "./load-generator.ts";
import type { Took } from "./load-orders.ts";
import type { Layout, Load, Scenario } from "./scenarios.ts";
import type { ServerOptions, ServerProcess } from "./server-process.ts";

/** What a scenario's run gives; what its load doesn't show, or the system doesn't tell, is absent. */
export interface Measured {
  readonly deliveriesPerSecond?: number;
  /** CPU seconds of the server in a million deliveries. */
  readonly serverCpuPerMillion?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly connectsPerSecond?: number;
  /** What the server grew by for each. */
  readonly kibPerConnection?: number;
  /** The share of one core that the load generator used: near 1 it is the bottleneck. */
  readonly generatorCpu: number;
}

export type Metric = keyof Measured;

/** Until a server in JavaScript has compiled what runs often: after one second it hasn't. */
export const WARM_UP_SECONDS = 3;
/** A paced load has few messages. */
const PACED_FOR_TIMES = 2;
/** They are connected before those that are counted, for the server to get going. */
const WARM_UP_CONNECTIONS = 1_000;
/** How often garbage is collected, and how long the server has then until its memory is read. */
const COLLECTIONS = 3;
const COLLECTION_MS = 700;

/** Measures scenarios of one layout, one after the other, on a server and connections of their own. */
export async function measureStage(
  contestant: Contestant,
  scenarios: readonly Scenario[],
  seconds: number,
  options: ServerOptions,
): Promise<Map<Scenario, Measured>> {
  const results = new Map<Scenario, Measured>();
  const collects = scenarios.some(({ load }) => load.type === "idle");
  const server = await contestant.start({ ...options, collects });
  const generator = startLoadGenerator();
  try {
    const { layout } = scenarios[0] as Scenario;
    const arrival = await fill(contestant, server, generator, layout, collects);
    for (const scenario of scenarios) {
      const { load } = scenario;
      results.set(scenario, load.type === "idle" ? arrival : await publish(server, generator, load, seconds));
    }
  } finally {
    await generator.stop();
    await server.stop();
  }
  return results;
}

/** Connects and subscribes everyone; what that shows. */
async function fill(
  { dialect }: Contestant,
  server: ServerProcess,
  generator: LoadGenerator,
  layout: Layout,
  collects: boolean,
): Promise<Measured> {
  const { connections, topics, subscribersOfEach } = layout;
  const { url } = server;
  const first = collects ? WARM_UP_CONNECTIONS : 0;
  await generator.run({ type: "connect", url, dialect, connections: first });
  const before = collects ? await settledBytes(server) : undefined;
  const took = await generator.run({ type: "connect", url, dialect, connections });
  await generator.run({ type: "subscribe", topics, subscribersOfEach });
  const after = collects ? await settledBytes(server) : undefined;
  const counted = connections - first;
  return {
    connectsPerSecond: counted / took.elapsedSeconds,
    ...(before !== undefined && after !== undefined && { kibPerConnection: (after - before) / 1_024 / counted }),
    generatorCpu: shareOf(took),
  };
}

async function settledBytes(server: ServerProcess): Promise<number | undefined> {
  for (let time = 0; time < COLLECTIONS; time++) {
    await server.collect();
    await setTimeout(COLLECTION_MS);
  }
  return server.usage()?.residentBytes;
}

async function publish(
  server: ServerProcess,
  generator: LoadGenerator,
  load: Exclude<Load, { type: "idle" }>,
  seconds: number,
): Promise<Measured> {
  await run(generator, load, WARM_UP_SECONDS);
  const before = server.usage();
  const ran = await run(generator, load, load.type === "pace" ? PACED_FOR_TIMES * seconds : seconds);
  const after = server.usage();
  const { deliveries, elapsedSeconds, elapsedSeconds: _, cpuSeconds, ...latencies } = ran;
  return {
    deliveriesPerSecond: deliveries / elapsedSeconds,
    ...(before && after && { serverCpuPerMillion: ((after.cpuSeconds - before.cpuSeconds) / deliveries) * 1e6 }),
    ...latencies,
    generatorCpu: shareOf(ran),
  };
}

function run(generator: LoadGenerator, load: Exclude<Load, { type: "idle" }>, seconds: number) {
  return load.type === "pace" ? generator.run({ ...load, seconds }) : generator.run({ ...load, seconds });
}

function shareOf({ cpuSeconds, elapsedSeconds }: Took): number {
  return cpuSeconds / elapsedSeconds;
}
