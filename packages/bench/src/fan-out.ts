import { startHostProcess } from "./host-process.ts";
import { type Measured, measure, type Scenario } from "./load.ts";
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

/** Deliveries a second through the local host's whole path, in interleaved runs, each with a host of its own. */
export async function benchFanOut(runs: number, seconds: number): Promise<void> {
  const results = new Map(SHAPES.map(({ name }) => [name, [] as Measured[]]));
  for (let run = 1; run <= runs; run++) {
    for (const shape of SHAPES) {
      process.stderr.write(`run ${run} of ${runs}: ${shape.name}\n`);
      const host = await startHostProcess();
      try {
        results.get(shape.name)?.push(await measure(host.topicUrl, { ...shape, seconds }));
      } finally {
        await host.stop();
      }
    }
  }
  process.stdout.write(
    "| | deliveries a second, median (lowest to highest) | load generator's share of a core |\n|---|---|---|\n",
  );
  for (const [name, measured] of results) {
    const rates = spreadOf(measured.map(({ deliveriesPerSecond }) => deliveriesPerSecond));
    const cpu = spreadOf(measured.map(({ generatorCpu }) => generatorCpu));
    process.stdout.write(`| ${name} | ${formatSpread(rates)} | ${formatSpread(cpu, 2)} |\n`);
  }
}
