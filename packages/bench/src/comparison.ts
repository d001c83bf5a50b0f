import { CONTESTANTS, type Contestant } from "./contestants/index.ts";
import { type Measured, measureStage } from "./measuring.ts";
import { SCENARIOS, type Scenario, stagesOf } from "./scenarios.ts";
import type { ServerOptions } from "./server-process.ts";
import { formatTables } from "./tables.ts";

export interface ComparisonOptions {
  readonly runs: number;
  readonly seconds: number;
  /** Beginnings of ids of scenarios; absent: all. */
  readonly only?: readonly string[];
  /** Ids; absent: all. */
  readonly contestants?: readonly string[];
  readonly profileFolder?: string;
}

/** What was measured of a contestant in a scenario, run by run. */
export interface Results {
  readonly contestants: readonly Contestant[];
  readonly scenarios: readonly Scenario[];
  of(scenario: Scenario, contestant: Contestant): readonly Measured[];
}

/** Measures contestants in interleaved runs, and prints tables. */
export async function benchComparison(options: ComparisonOptions): Promise<void> {
  const results = await compare(options);
  process.stdout.write(`${formatTables(results)}\n`);
}

async function compare({ runs, seconds, only, contestants: ids, profileFolder }: ComparisonOptions): Promise<Results> {
  const scenarios = SCENARIOS.filter(({ id }) => only?.some((wanted) => `${id}-`.startsWith(`${wanted}-`)) ?? true);
  const contestants = installedOf(CONTESTANTS.filter(({ id }) => ids?.includes(id) ?? true));
  const options: ServerOptions = { ...(profileFolder !== undefined && { profileFolder }) };
  const measured = new Map<string, Measured[]>();
  const cells = stagesOf(scenarios).flatMap((stage) => contestants.map((contestant) => ({ stage, contestant })));
  const keyOf = (scenario: Scenario, contestant: Contestant) => `${scenario.id} ${contestant.id}`;
  for (let run = 1; run <= runs; run++) {
    for (const { stage, contestant } of cells) {
      process.stderr.write(`run ${run} of ${runs}: ${contestant.name}, ${stage.map(({ id }) => id).join(", ")}\n`);
      for (const [scenario, result] of await measureStage(contestant, stage, seconds, options)) {
        const key = keyOf(scenario, contestant);
        measured.set(key, [...(measured.get(key) ?? []), result]);
      }
    }
  }
  return { contestants, scenarios, of: (scenario, contestant) => measured.get(keyOf(scenario, contestant)) ?? [] };
}

function installedOf(contestants: readonly Contestant[]): Contestant[] {
  return contestants.filter(({ name, origin, version }) => {
    const isInstalled = version() !== undefined;
    if (!isInstalled) process.stderr.write(`${name} is left out, it isn't installed: ${origin}.\n`);
    return isInstalled;
  });
}
