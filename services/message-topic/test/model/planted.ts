import type { Bug } from "./bugs.ts";
import { search } from "./property.ts";
import type { System } from "./system.ts";

/**
 * Finds a bug in a system that has it: in the run that is recorded with it or, where the service or the model has changed since and nothing is wrong there
 * any more, in one of so many others, and says what to record then. Throws where none of them finds it.
 */
export async function findBug(system: System, name: string, { finds, foundIn }: Bug, runs: number): Promise<void> {
  const before = await search(system, { runs: 1, shrink: false, finds, ...foundIn });
  if (before.faults.length > 0) return report(`${name}: ${before.faults[0]}`);
  const { seed, path, faults, failure } = await search(system, { runs, shrink: false, finds });
  // A run that throws is a bug of the simulation, and has a stack.
  if (faults.length === 0)
    throw new Error(failure ?? `${runs} runs with MODEL_SEED=${seed} find nothing like ${finds}`);
  report(`${name}: found by a search: foundIn: { seed: ${seed}, path: "${path}" }: ${faults[0]}`);
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
