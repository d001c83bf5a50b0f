/** Who is connected, and subscribed to what. */
export interface Layout {
  readonly connections: number;
  readonly topics: number;
  readonly subscribersOfEach: number;
}

export type Load =
  | { readonly type: "flood"; readonly outstanding: number }
  | { readonly type: "pace"; readonly perSecond: number }
  | { readonly type: "idle" };

/** What each contestant is measured in. */
export interface Scenario {
  /** For `--only`. */
  readonly id: string;
  readonly name: string;
  readonly layout: Layout;
  readonly load: Load;
}

const FAN_OUT: readonly Scenario[] = [100, 1_000, 5_000].flatMap((subscribers) =>
  [32, 1].map((outstanding) => ({
    id: `fan-out-${subscribers}-${outstanding}`,
    name: `${subscribers.toLocaleString("en")} subscribers of one topic, ${outstanding} outstanding`,
    layout: oneTopicOf(subscribers),
    load: { type: "flood", outstanding } as const,
  })),
);

/** Neighbours of one layout share a server and its connections. */
export const SCENARIOS: readonly Scenario[] = [
  ...FAN_OUT.filter(({ layout }) => layout.connections <= 1_000),
  {
    id: "latency",
    name: "1,000 subscribers of one topic, 10 messages a second",
    layout: oneTopicOf(1_000),
    load: { type: "pace", perSecond: 10 },
  },
  ...FAN_OUT.filter(({ layout }) => layout.connections > 1_000),
  {
    id: "topics",
    name: "1,000 topics of 10 subscribers, 32 outstanding",
    layout: { connections: 1_000, topics: 1_000, subscribersOfEach: 10 },
    load: { type: "flood", outstanding: 32 },
  },
  {
    id: "idle",
    name: "5,000 idle connections after 1,000 to warm up, each subscribed to one of 600 topics",
    layout: { connections: 6_000, topics: 600, subscribersOfEach: 10 },
    load: { type: "idle" },
  },
];

function oneTopicOf(subscribers: number): Layout {
  return { connections: subscribers, topics: 1, subscribersOfEach: subscribers };
}

/** Scenarios of one layout, in their order. */
export function stagesOf(scenarios: readonly Scenario[]): Scenario[][] {
  const stages: Scenario[][] = [];
  for (const scenario of scenarios) {
    const last = stages.at(-1);
    if (last !== undefined && JSON.stringify(last[0]?.layout) === JSON.stringify(scenario.layout)) last.push(scenario);
    else stages.push([scenario]);
  }
  return stages;
}
