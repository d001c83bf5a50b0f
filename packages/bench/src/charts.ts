import { init } from "echarts";
import type { Metric } from "./measuring.ts";
import type { Results } from "./results.ts";

export interface Chart {
  readonly file: string;
  readonly title: string;
  readonly digits: number;
  /** A group of bars each, one for each contestant. */
  readonly groups: readonly { readonly label: string; readonly scenario: string; readonly metric: Metric }[];
}

const WIDTH = 860;
const BAR_HEIGHT = 15;
const GROUP_GAP_HEIGHT = 16;
const HEAD_HEIGHT = 90;
const LABELS_WIDTH = 150;
const VALUES_WIDTH = 90;

const floodGroups = (outstanding: number) =>
  ["100", "1000", "5000"].map((subscribers) => ({
    label: `${Number(subscribers).toLocaleString("en")} subscribers`,
    scenario: `fan-out-${subscribers}-${outstanding}`,
    metric: "deliveriesPerSecond" as const,
  }));

export const CHARTS: readonly Chart[] = [
  {
    file: "fan-out-32.svg",
    title: "Deliveries a second, 32 messages outstanding (more is better)",
    digits: 0,
    groups: [
      ...floodGroups(32),
      { label: "1,000 topics of 10", scenario: "topics", metric: "deliveriesPerSecond" as const },
    ],
  },
  {
    file: "fan-out-1.svg",
    title: "Deliveries a second, 1 message outstanding (more is better)",
    digits: 0,
    groups: floodGroups(1),
  },
  {
    file: "cpu.svg",
    title: "Server's CPU seconds per million deliveries (less is better)",
    digits: 2,
    groups: [
      { label: "1,000 subscribers, 32", scenario: "fan-out-1000-32", metric: "serverCpuPerMillion" },
      { label: "1,000 subscribers, 1", scenario: "fan-out-1000-1", metric: "serverCpuPerMillion" },
      { label: "1,000 topics of 10", scenario: "topics", metric: "serverCpuPerMillion" },
    ],
  },
  {
    file: "latency.svg",
    title: "Latency at 10,000 deliveries a second, ms (less is better)",
    digits: 1,
    groups: [
      { label: "p50", scenario: "latency", metric: "p50Ms" },
      { label: "p99", scenario: "latency", metric: "p99Ms" },
    ],
  },
  {
    file: "memory.svg",
    title: "Memory of an idle subscribed connection, KiB (less is better)",
    digits: 1,
    groups: [{ label: "5,000 connections", scenario: "idle", metric: "kibPerConnection" }],
  },
  {
    file: "connects.svg",
    title: "Connects a second (more is better)",
    digits: 0,
    groups: [{ label: "5,000 connections", scenario: "idle", metric: "connectsPerSecond" }],
  },
];

/** Medians as bars. */
export function renderChart({ title, digits, groups }: Chart, { contestants, spread }: Results): string {
  const height = HEAD_HEIGHT + groups.length * (contestants.length * BAR_HEIGHT + GROUP_GAP_HEIGHT);
  const format = (value: unknown) =>
    Number(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: "#fff",
    title: { text: title, left: "center", top: 4, textStyle: { fontSize: 15 } },
    legend: { top: 34, data: contestants.map(({ name }) => plain(name)) },
    grid: { left: LABELS_WIDTH, right: VALUES_WIDTH, top: HEAD_HEIGHT - 20, bottom: 10 },
    xAxis: { type: "value", show: false },
    yAxis: { type: "category", inverse: true, axisTick: { show: false }, data: groups.map(({ label }) => label) },
    series: contestants.map(({ id, name }) => ({
      type: "bar",
      name: plain(name),
      data: groups.map(({ scenario, metric }) => spread(scenario, id, metric)?.median ?? null),
      label: {
        show: true,
        position: "right",
        fontSize: 10,
        formatter: ({ value }: { value: unknown }) => format(value),
      },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** Without Markdown. */
function plain(name: string): string {
  return name.replaceAll("`", "");
}
