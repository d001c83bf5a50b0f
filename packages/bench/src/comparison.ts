import { BenchError } from "./bench-error.ts";
import { writeComparison } from "./comparison-page.ts";
import { CONTESTANTS, type Contestant } from "./contestants/index.ts";
import { describeLoad, requireOpenFiles } from "./machine.ts";
import { measureStage } from "./measuring.ts";
import { createProgress } from "./progress.ts";
import { createResults, type Results } from "./results.ts";
import { SCENARIOS, stagesOf } from "./scenarios.ts";
import type { ServerOptions } from "./server-process.ts";
import { formatTables } from "./tables.ts";
import { formatTargets } from "./targets.ts";

export interface ComparisonOptions {
  readonly runs: number;
  readonly seconds: number;
  /** First words of ids of scenarios; absent: all. */
  readonly only?: readonly string[];
  /** Ids; absent: all. */
  readonly contestants?: readonly string[];
  readonly profileFolder?: string;
  /** Whether the page gets the figures; never those of a part. */
  readonly write: boolean;
}

/** Measures contestants in interleaved runs, prints tables, and keeps them in docs/benchmarks.md. */
export async function benchComparison(options: ComparisonOptions): Promise<void> {
  const { runs, seconds, only, contestants, profileFolder, write } = options;
  const load = describeLoad();
  if (load !== undefined) process.stderr.write(`${load}\n`);
  const results = await compare(options);
  process.stdout.write(`${formatTables(results)}\n${formatTargets(results)}\n`);
  if (!write) return;
  if (only !== undefined || contestants !== undefined || profileFolder !== undefined) {
    process.stderr.write("Only a part was measured: docs/benchmarks.md stays as it is.\n");
  } else await writeComparison(results, { runs, seconds, load });
}

async function compare({ runs, seconds, only, contestants: ids, profileFolder }: ComparisonOptions): Promise<Results> {
  const scenarios = chosenOf("scenario", SCENARIOS, only);
  const contestants = installedOf(chosenOf("contestant", CONTESTANTS, ids));
  requireOpenFiles(Math.max(...scenarios.map(({ layout }) => layout.connections)));
  const results = createResults(contestants, scenarios);
  const options: ServerOptions = { ...(profileFolder !== undefined && { profileFolder }) };
  const stages = stagesOf(scenarios);
  const pieces = Array.from({ length: runs }, (_, run) =>
    stages.flatMap((stage) => contestants.map((contestant) => ({ run: run + 1, stage, contestant }))),
  ).flat();
  const idsOf = (stage: (typeof stages)[number]) => stage.map(({ id }) => id).join(", ");
  const progress = createProgress(
    pieces.map(({ stage }) => idsOf(stage)),
    (line) => process.stderr.write(line),
  );
  for (const { run, stage, contestant } of pieces) {
    progress.begin(`run ${run}, ${contestant.name}, ${idsOf(stage)}`);
    const measured = await measureStage(contestant, stage, seconds, options);
    for (const [scenario, each] of measured) results.add(scenario, contestant, each);
    progress.end();
  }
  return results;
}

/** Those that are asked for by their ids, or the first words of them; throws a {@link BenchError} where one means nothing. */
function chosenOf<T extends { readonly id: string }>(kind: string, all: readonly T[], wanted?: readonly string[]): T[] {
  const isMeant = (words: string, { id }: T) => `${id}-`.startsWith(`${words}-`);
  const unknown = wanted?.find((words) => !all.some((one) => isMeant(words, one)));
  if (unknown === undefined) return all.filter((one) => wanted?.some((words) => isMeant(words, one)) ?? true);
  throw new BenchError(`There is no ${kind} ${unknown}, only ${all.map(({ id }) => id).join(", ")}.`);
}

function installedOf(contestants: readonly Contestant[]): Contestant[] {
  const installed = contestants.filter(({ name, origin, version }) => {
    const isInstalled = version() !== undefined;
    if (!isInstalled) process.stderr.write(`${name} is left out, it isn't installed: ${origin}.\n`);
    return isInstalled;
  });
  if (installed.length === 0) throw new BenchError("There is nobody to measure.");
  return installed;
}
