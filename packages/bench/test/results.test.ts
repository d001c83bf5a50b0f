import { describe, expect, it } from "@jest/globals";
import { CHARTS, renderChart } from "../src/charts.ts";
import { CONTESTANTS } from "../src/contestants/index.ts";
import type { Measured } from "../src/measuring.ts";
import { createResults, type Results } from "../src/results.ts";
import { SCENARIOS, stagesOf } from "../src/scenarios.ts";
import { formatTables } from "../src/tables.ts";
import { formatTargets } from "../src/targets.ts";

const MEASURED: Measured = {
  deliveriesPerSecond: 1_000,
  serverCpuPerMillion: 2,
  p50Ms: 3,
  p99Ms: 4,
  connectsPerSecond: 5,
  kibPerConnection: 6,
  generatorCpu: 0.5,
};

/** Three runs, of which the host's are as they are said to be. */
function resultsOf(host: Partial<Measured>, contestants = CONTESTANTS): Results {
  const results = createResults(contestants, SCENARIOS);
  for (const factor of [1, 0.5, 2]) {
    for (const scenario of SCENARIOS) {
      for (const contestant of contestants) {
        const measured = { ...MEASURED, ...(contestant.id === "topicast" && host) };
        const scaled = Object.entries(measured).map(([metric, value]) => [metric, value * factor]);
        results.add(scenario, contestant, Object.fromEntries(scaled));
      }
    }
  }
  return results;
}

const lineOf = (text: string, beginning: string) => text.split("\n").find((line) => line.startsWith(beginning));

describe("targets", () => {
  it("are met or missed by the ratio of medians", () => {
    const missed = formatTargets(resultsOf({ deliveriesPerSecond: 19_900, p99Ms: 4.5, kibPerConnection: 6.1 }));
    expect(lineOf(missed, "| fan-out to 1,000, 32 outstanding: times Socket.IO")).toContain(
      "≥ 20 | 19.90 | **missed**",
    );
    expect(lineOf(missed, "| fan-out to 1,000, 32 outstanding: times nats")).toContain("≥ 1.4 | 19.90 | met");
    expect(lineOf(missed, "| latency p99")).toContain("≤ 1.1 | 1.13 | **missed**");
    expect(lineOf(missed, "| memory of an idle connection: times")).toContain("≤ 1 | 1.02 | **missed**");
    expect(lineOf(missed, "| memory of an idle connection, KiB")).toContain("≤ 12 | 6.10 | met");
    expect(lineOf(missed, "| connects a second")).toContain("≥ 1 | 1.00 | met");
  });

  it("are all listed where a peer is missing", () => {
    const text = formatTargets(resultsOf({}, CONTESTANTS.slice(0, 1)));
    expect(lineOf(text, "| memory of an idle connection, KiB")).toContain("met");
    expect(text.match(/not measured/g)).toHaveLength(text.split("\n").length - 3);
  });
});

describe("tables", () => {
  it("have medians and ranges, and say where the load generator is the bottleneck", () => {
    const text = formatTables(resultsOf({ generatorCpu: 0.9 }));
    expect(lineOf(text, "| Topicast's local host")).toBe(
      "| Topicast's local host | 1,000 (500 to 2,000) | 2.00 (1.00 to 4.00) | 0.90 (0.45 to 1.80) | bound by the load generator |",
    );
    expect(lineOf(text, "| Socket.IO")).toMatch(/0\.50 \(0\.25 to 1\.00\) \| {2}\|$/);
    expect(text.match(/^### /gm)).toHaveLength(SCENARIOS.length);
  });
});

describe("charts", () => {
  it.each(CHARTS)("$file has a bar and a value for everyone", (chart) => {
    const svg = renderChart(chart, resultsOf({ deliveriesPerSecond: 1_234_567 }));
    expect(svg).toMatch(/^<svg /);
    expect(svg.match(/ecmeta_ssr_type="chart"/g)).toHaveLength(chart.groups.length * CONTESTANTS.length);
    for (const { label } of chart.groups) expect(svg).toContain(`>${label}<`);
    if (chart.groups[0]?.metric === "deliveriesPerSecond") expect(svg).toContain(">1,234,567<");
  });
});

it("scenarios of one layout share a stage", () => {
  const stages = stagesOf(SCENARIOS);
  expect(stages.flat()).toEqual(SCENARIOS);
  expect(stages.map((stage) => stage.length)).toEqual([2, 3, 2, 1, 1]);
});
