import fc from "fast-check";
import { type Command, commandsArbitrary } from "./commands.ts";
import { run } from "./run.ts";
import type { System } from "./system.ts";

export interface Search {
  readonly runs: number;
  /** Whether to look for the shortest commands that fail too. */
  readonly shrink: boolean;
  /** What to look for: runs in which only other things are wrong are passed over. Absent: anything. */
  readonly finds?: RegExp;
  /** Both as an earlier search printed them, to go the same way again. */
  readonly seed?: number | undefined;
  readonly path?: string | undefined;
}

/** Where a search came to a run; it leads there again as long as neither the service nor the model changes. */
export interface Run {
  readonly seed: number;
  readonly path: string;
}

export interface Found {
  readonly seed: number;
  readonly runs: number;
  /** Which run failed first. */
  readonly path: string | undefined;
  /** What was wrong in it; nothing where it didn't come to its end. */
  readonly faults: readonly string[];
  /** The shortest commands that fail, and how to replay them; undefined where nothing failed. */
  readonly failure: string | undefined;
}

/** What goes wrong once often goes wrong many times. */
const MAX_FAULTS = 10;

/** How long to look for shorter commands that fail too. */
const SHRINKING_MS = 60_000;

/** Runs a system with arbitrary commands until something is wrong. */
export async function search(system: System, { runs, shrink, finds, seed, path }: Search): Promise<Found> {
  let faults: readonly string[] = [];
  const property = fc.asyncProperty(fc.integer(), commandsArbitrary, async (worldSeed, commands) => {
    faults = [];
    const all = await run(system, worldSeed, commands);
    faults = all.filter((fault) => finds?.test(fault) ?? true);
    if (faults.length > 0) throw new Error(faults.slice(0, MAX_FAULTS).join("\n"));
  });
  const from = { ...(seed !== undefined && { seed }), ...(path !== undefined && { path }) };
  // A path leads to one run.
  const numRuns = path === undefined ? runs : 1;
  const first = await fc.check(property, { ...from, numRuns, endOnFailure: true });
  const found = { seed: first.seed, runs: first.numRuns, path: first.counterexamplePath ?? undefined, faults };
  if (!first.failed || !shrink) return { ...found, failure: describe(first) };
  const again = { seed: first.seed, path: first.counterexamplePath ?? "0" };
  const shrunk = await fc.check(property, { ...again, interruptAfterTimeLimit: SHRINKING_MS });
  return { ...found, failure: describe(shrunk.failed ? shrunk : first) };
}

function describe(details: fc.RunDetails<[number, (Command | undefined)[]]>): string | undefined {
  if (!details.failed) return undefined;
  const { seed, counterexample, counterexamplePath, errorInstance } = details;
  const commands = counterexample?.[1].filter((command) => command !== undefined) ?? [];
  return [
    `The model fails. Replay it with: MODEL_SEED=${seed} MODEL_PATH=${counterexamplePath}`,
    ...commands.map((command) => `  ${command}`),
    // What wasn't found by a check, such as a bug of the simulation, has a stack that says more.
    errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance),
  ].join("\n");
}
