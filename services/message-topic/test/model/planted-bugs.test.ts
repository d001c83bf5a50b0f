import { expect, it } from "@jest/globals";
import { BUGS } from "./bugs.ts";
import { findBug } from "./planted.ts";
import { loadSystem } from "./system.ts";
import { TOPIC_RULES } from "./topics.ts";

/** Of a search. The rarest takes 400 on average: one search in millions misses it. */
const RUNS = 6_000;
/** A run is well below a second on a machine that is busy. */
const TIMEOUT_MS = RUNS * 1_000;

it.each(Object.entries(BUGS))(
  "finds %s",
  async (name, bug) => {
    const system = await loadSystem(TOPIC_RULES, { patches: bug.patches });
    await findBug(system, name, bug, RUNS);
  },
  TIMEOUT_MS,
);

it("refuses a bug whose place in the source is gone", async () => {
  const file = "packages/core/src/use-cases/fan-out.ts";
  const loading = loadSystem(TOPIC_RULES, { patches: [{ file, find: "what is not there", replace: "" }] });
  await expect(loading).rejects.toThrow(`A patch looks for this in ${file} and finds it 0 times`);
});
