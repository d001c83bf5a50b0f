import { it } from "@jest/globals";
import { search } from "./property.ts";
import { loadSystem } from "./system.ts";
import { TOPIC_RULES } from "./topics.ts";

const { MODEL_RUNS = "2000", MODEL_SEED, MODEL_PATH } = process.env;
const RUN_MS = 1_000;

it(
  "loses, doubles and disorders nothing, whatever fails",
  async () => {
    const system = await loadSystem(TOPIC_RULES);
    const found = await search(system, {
      runs: Number(MODEL_RUNS),
      shrink: true,
      seed: MODEL_SEED === undefined ? undefined : Number(MODEL_SEED),
      path: MODEL_PATH,
    });
    process.stdout.write(`${found.runs} runs with MODEL_SEED=${found.seed}\n`);
    if (found.failure !== undefined) throw new Error(found.failure);
  },
  // Shrinking takes some thousand runs more.
  (Number(MODEL_RUNS) + 10_000) * RUN_MS,
);
