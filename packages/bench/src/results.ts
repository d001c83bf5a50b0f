import type { Contestant } from "./contestants/index.ts";
import type { Measured, Metric } from "./measuring.ts";
import type { Scenario } from "./scenarios.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/** What was measured of contestants in scenarios, run by run. */
export interface Results {
  readonly contestants: readonly Contestant[];
  readonly scenarios: readonly Scenario[];
  add(scenario: Scenario, contestant: Contestant, measured: Measured): void;
  /** Of all runs, by ids; undefined where nothing was measured. */
  spread(scenario: string, contestant: string, metric: Metric): Spread | undefined;
}

export function createResults(contestants: readonly Contestant[], scenarios: readonly Scenario[]): Results {
  const runs = new Map<string, Measured[]>();
  const keyOf = (scenario: string, contestant: string) => `${scenario} ${contestant}`;
  return {
    contestants,
    scenarios,
    add(scenario, contestant, measured) {
      const key = keyOf(scenario.id, contestant.id);
      runs.set(key, [...(runs.get(key) ?? []), measured]);
    },
    spread(scenario, contestant, metric) {
      const values = (runs.get(keyOf(scenario, contestant)) ?? []).flatMap((measured) => measured[metric] ?? []);
      return values.length === 0 ? undefined : spreadOf(values);
    },
  };
}
