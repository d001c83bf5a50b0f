import type { Metric } from "./measuring.ts";
import type { Results } from "./results.ts";

interface Target {
  readonly name: string;
  readonly scenario: string;
  readonly metric: Metric;
  /** Who the host is measured by: its median over theirs. Absent: the median itself. */
  readonly peer?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const SOCKET_IO = "socket.io";
const NATS = "nats";
const NAIVE = "ws";
const RATE = "deliveriesPerSecond";

const TARGETS: readonly Target[] = [
  ...["1000", "5000"].flatMap((subscribers): Target[] => {
    const scenario = `fan-out-${subscribers}-32`;
    const name = `fan-out to ${Number(subscribers).toLocaleString("en")}, 32 outstanding`;
    return [
      { name: `${name}: times Socket.IO`, scenario, metric: RATE, peer: SOCKET_IO, atLeast: 20 },
      { name: `${name}: times nats-server`, scenario, metric: RATE, peer: NATS, atLeast: 1.4 },
    ];
  }),
  ...["100", "1000", "5000"].flatMap((subscribers): Target[] => {
    const scenario = `fan-out-${subscribers}-1`;
    const name = `fan-out to ${Number(subscribers).toLocaleString("en")}, 1 outstanding`;
    return [
      { name: `${name}: times Socket.IO`, scenario, metric: RATE, peer: SOCKET_IO, atLeast: 1 },
      { name: `${name}: times naive \`ws\``, scenario, metric: RATE, peer: NAIVE, atLeast: 0.85 },
    ];
  }),
  { name: "1,000 topics of 10: times Socket.IO", scenario: "topics", metric: RATE, peer: SOCKET_IO, atLeast: 1 },
  {
    name: "latency p99 at 10,000 a second: times Socket.IO's",
    scenario: "latency",
    metric: "p99Ms",
    peer: SOCKET_IO,
    atMost: 1.1,
  },
  {
    name: "memory of an idle connection: times Socket.IO's",
    scenario: "idle",
    metric: "kibPerConnection",
    peer: SOCKET_IO,
    atMost: 1,
  },
  { name: "memory of an idle connection, KiB", scenario: "idle", metric: "kibPerConnection", atMost: 12 },
  {
    name: "connects a second: times Socket.IO's",
    scenario: "idle",
    metric: "connectsPerSecond",
    peer: SOCKET_IO,
    atLeast: 1,
  },
];

const HOST = "topicast";

/** A table in Markdown of what the host should reach in these scenarios and what it did; "–" where it or its peer wasn't measured. */
export function formatTargets(results: Results): string {
  const targets = TARGETS.filter(({ scenario }) => results.scenarios.some(({ id }) => id === scenario));
  const rows = targets.map((target) => {
    const value = measuredValue(results, target);
    const { name, atLeast, atMost } = target;
    const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
    if (value === undefined) return `| ${name} | ${bound} | – | not measured |`;
    const isMet = value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY);
    return `| ${name} | ${bound} | ${value.toFixed(2)} | ${isMet ? "met" : "**missed**"} |`;
  });
  return ["| | target | measured | |", "|---|---|---|---|", ...rows].join("\n");
}

function measuredValue(results: Results, { scenario, metric, peer }: Target): number | undefined {
  const own = results.spread(scenario, HOST, metric)?.median;
  if (own === undefined || peer === undefined) return own;
  const theirs = results.spread(scenario, peer, metric)?.median;
  return theirs === undefined ? undefined : own / theirs;
}
