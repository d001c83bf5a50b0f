import { GENERATOR_BOUND } from "./load-generator.ts";
import type { Metric } from "./measuring.ts";
import type { Results } from "./results.ts";
import type { Load, Scenario } from "./scenarios.ts";
import { formatSpread } from "./statistics.ts";

interface Column {
  readonly title: string;
  readonly metric: Metric;
  readonly digits: number;
}

const RATE: Column = { title: "deliveries a second", metric: "deliveriesPerSecond", digits: 0 };
const SERVER_CPU: Column = { title: "server's CPU seconds per million", metric: "serverCpuPerMillion", digits: 2 };
const P50: Column = { title: "p50, ms", metric: "p50Ms", digits: 1 };
const P99: Column = { title: "p99, ms", metric: "p99Ms", digits: 1 };
const CONNECTS: Column = { title: "connects a second", metric: "connectsPerSecond", digits: 0 };
const SIZE: Column = { title: "KiB a connection", metric: "kibPerConnection", digits: 1 };
const GENERATOR: Column = { title: "load generator's share of a core", metric: "generatorCpu", digits: 2 };

const COLUMNS: Readonly<Record<Load["type"], readonly Column[]>> = {
  flood: [RATE, SERVER_CPU, GENERATOR],
  pace: [P50, P99, SERVER_CPU, GENERATOR],
  idle: [CONNECTS, SIZE, GENERATOR],
};

/** A table for each scenario, in Markdown: medians, and the lowest and highest of the runs. */
export function formatTables(results: Results): string {
  return results.scenarios.map((scenario) => `### ${scenario.name}\n\n${formatTable(results, scenario)}\n`).join("\n");
}

function formatTable({ contestants, spread }: Results, { id: scenario, load }: Scenario): string {
  const columns = COLUMNS[load.type];
  const head = ["", ...columns.map(({ title }) => title), ""];
  const rows = contestants.map(({ id, name }) => {
    const cells = columns.map(({ metric, digits }) => {
      const values = spread(scenario, id, metric);
      return values === undefined ? "–" : formatSpread(values, digits);
    });
    const isBound = (spread(scenario, id, "generatorCpu")?.median ?? 0) >= GENERATOR_BOUND;
    return [name, ...cells, isBound ? "bound by the load generator" : ""];
  });
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
