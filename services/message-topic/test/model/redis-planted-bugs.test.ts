import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { startRedis } from "@topicast/testing";
import { search } from "./property.ts";
import { REDIS_BUGS } from "./redis-bugs.ts";
import { redisStores } from "./stores.ts";
import { loadSystem } from "./system.ts";
import { TOPIC_RULES } from "./topics.ts";

/** Each is found in the first few. */
const RUNS = 300;

let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it.each(Object.entries(REDIS_BUGS))(
  "finds %s",
  async (name, { patches, finds }) => {
    const system = await loadSystem(TOPIC_RULES, { patches, openStores: redisStores(server.url) });
    const { seed, runs, faults, failure } = await search(system, { runs: RUNS, shrink: false, finds });
    if (faults.length === 0)
      throw new Error(failure ?? `${runs} runs with MODEL_SEED=${seed} find nothing like ${finds}`);
    expect(faults[0]).toMatch(finds);
    process.stdout.write(`${name}: found in run ${runs} with MODEL_SEED=${seed}: ${faults[0]}\n`);
  },
  5 * 60_000,
);
