import { Command, InvalidArgumentError } from "commander";
import { startHostProcess } from "./host-process.ts";
import { type Measured, measure, type Scenario } from "./load.ts";

const options = new Command()
  .name("npm run bench --")
  .description("Measures deliveries a second through the local host's whole path: sockets, handlers, log, queue, acks.")
  .option("--runs <n>", "interleaved runs of each scenario", wholeNumber, 5)
  .option("--seconds <n>", "how long each run publishes", wholeNumber, 3)
  .parse()
  .opts<{ runs: number; seconds: number }>();

const { seconds } = options;
const scenarios: readonly Scenario[] = [
  {
    name: "1,000 subscribers of one topic, 32 outstanding",
    connections: 1_000,
    topics: 1,
    subscribersOfEach: 1_000,
    outstanding: 32,
    seconds,
  },
  {
    name: "1,000 subscribers of one topic, 1 outstanding",
    connections: 1_000,
    topics: 1,
    subscribersOfEach: 1_000,
    outstanding: 1,
    seconds,
  },
  {
    name: "1,000 topics of 10, 32 outstanding",
    connections: 1_000,
    topics: 1_000,
    subscribersOfEach: 10,
    outstanding: 32,
    seconds,
  },
];

const results = new Map(scenarios.map(({ name }) => [name, [] as Measured[]]));
for (let run = 1; run <= options.runs; run++) {
  for (const scenario of scenarios) {
    process.stderr.write(`run ${run} of ${options.runs}: ${scenario.name}\n`);
    const host = await startHostProcess();
    results.get(scenario.name)?.push(await measure(host.topicUrl, scenario));
    await host.stop();
  }
}

process.stdout.write(
  "Deliveries a second, median (lowest to highest); the share of a core that the load generator used.\n\n",
);
for (const [name, runs] of results) {
  const rates = runs.map(({ deliveriesPerSecond }) => deliveriesPerSecond).sort((a, b) => a - b);
  const cpu = runs.map(({ generatorCpu }) => generatorCpu).sort((a, b) => a - b);
  const range = `${round(rates[0])} to ${round(rates.at(-1))}`;
  process.stdout.write(
    `${name.padEnd(50)} ${round(middle(rates)).padStart(9)} (${range}); ${middle(cpu).toFixed(2)}\n`,
  );
}

function middle(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function round(rate = Number.NaN): string {
  return Math.round(rate).toLocaleString("en");
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1 to 99999.");
  return Number(text);
}
