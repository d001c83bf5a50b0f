import { GENERATOR_BOUND, type Measured, measure, type Scenario } from "./load.ts";
import { type ServerOptions, type ServerProcess, startHostProcess, startNaiveServer } from "./server-process.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

type Shape = Omit<Scenario, "seconds">;

const SHAPES: readonly Shape[] = [
  {
    name: "1,000 subscribers of one topic, 32 outstanding",
    connections: 1_000,
    topics: 1,
    subscribersOfEach: 1_000,
    outstanding: 32,
  },
  {
    name: "1,000 subscribers of one topic, 1 outstanding",
    connections: 1_000,
    topics: 1,
    subscribersOfEach: 1_000,
    outstanding: 1,
  },
  {
    name: "1,000 topics of 10, 32 outstanding",
    connections: 1_000,
    topics: 1_000,
    subscribersOfEach: 10,
    outstanding: 32,
  },
];

/** One connection publishes as much as it can. */
const ENVIRONMENT = { MESSAGES_PER_SECOND_MAX: "1000000" };

interface Contestant {
  readonly name: string;
  start(options: ServerOptions): Promise<ServerProcess>;
}

const CONTESTANTS: readonly Contestant[] = [
  { name: "Topicast's local host", start: startHostProcess },
  { name: "`ws`, used naively", start: startNaiveServer },
];

export interface FanOutOptions {
  readonly runs: number;
  readonly seconds: number;
  /** Of {@link SHAPES}, counted from 1; absent: all. */
  readonly shape?: number;
  readonly profileFolder?: string;
}

/** Deliveries a second through the local host's whole path, and through others, in interleaved runs, each with a server of its own. */
export async function benchFanOut({ runs, seconds, shape: only, profileFolder }: FanOutOptions): Promise<void> {
  const shapes = only === undefined ? SHAPES : SHAPES.slice(only - 1, only);
  const options = { environment: ENVIRONMENT, ...(profileFolder !== undefined && { profileFolder }) };
  const cases = shapes.flatMap((each) =>
    contestantsOf(profileFolder).map((contestant) => ({ shape: each, contestant })),
  );
  const results = cases.map(() => [] as Measured[]);
  for (let run = 1; run <= runs; run++) {
    for (const [index, { shape, contestant }] of cases.entries()) {
      process.stderr.write(`run ${run} of ${runs}: ${shape.name}, ${contestant.name}\n`);
      const server = await contestant.start(options);
      try {
        results[index]?.push(await measure(server, { ...shape, seconds }));
      } finally {
        await server.stop();
      }
    }
  }
  process.stdout.write(
    "| | | deliveries a second, median (lowest to highest) | server's CPU seconds per million | load generator's share of a core | |\n|---|---|---|---|---|---|\n",
  );
  for (const [index, { shape, contestant }] of cases.entries()) {
    process.stdout.write(`| ${shape.name} | ${contestant.name} | ${format(results[index] ?? [])} |\n`);
  }
}

/** Whoever profiles looks at the host. */
function contestantsOf(profileFolder: string | undefined): readonly Contestant[] {
  return profileFolder === undefined ? CONTESTANTS : CONTESTANTS.slice(0, 1);
}

function format(measured: readonly Measured[]): string {
  const rates = spreadOf(measured.map(({ deliveriesPerSecond }) => deliveriesPerSecond));
  const serverCpu = measured.flatMap(({ serverCpuPerMillion }) => serverCpuPerMillion ?? []);
  const generatorCpu = spreadOf(measured.map((each) => each.generatorCpu));
  return [
    formatSpread(rates),
    serverCpu.length === 0 ? "–" : formatSpread(spreadOf(serverCpu), 2),
    formatSpread(generatorCpu, 2),
    generatorCpu.median >= GENERATOR_BOUND ? "bound by the load generator" : "",
  ].join(" | ");
}
