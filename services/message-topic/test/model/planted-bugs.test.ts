import { expect, it } from "@jest/globals";
import { BUGS } from "./bugs.ts";
import { search } from "./property.ts";
import { loadSystem } from "./system.ts";
import { TOPIC_RULES } from "./topics.ts";

/** The rarest takes 400 on average: one search in millions misses it. */
const RUNS = 6_000;
const TIMEOUT_MS = 10 * 60_000;

it.each(Object.entries(BUGS))(
  "finds %s",
  async (name, { patches, finds }) => {
    const system = await loadSystem(TOPIC_RULES, { patches });
    const { seed, runs, faults, failure } = await search(system, { runs: RUNS, shrink: false, finds });
    // A run that throws is a bug of the simulation, and has a stack.
    if (faults.length === 0)
      throw new Error(failure ?? `${runs} runs with MODEL_SEED=${seed} find nothing like ${finds}`);
    process.stdout.write(`${name}: found in run ${runs} with MODEL_SEED=${seed}: ${faults[0]}\n`);
  },
  TIMEOUT_MS,
);

it("refuses a bug whose place in the source is gone", async () => {
  const file = "packages/core/src/use-cases/fan-out.ts";
  const loading = loadSystem(TOPIC_RULES, { patches: [{ file, find: "what is not there", replace: "" }] });
  await expect(loading).rejects.toThrow(`A patch looks for this in ${file} and finds it 0 times`);
});
