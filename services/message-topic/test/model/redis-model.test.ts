import { afterAll, beforeAll, it } from "@jest/globals";
import { startRedis } from "@topicast/testing";
import { search } from "./property.ts";
import { redisStores } from "./stores.ts";
import { loadSystem } from "./system.ts";
import { TOPIC_RULES } from "./topics.ts";

const { REDIS_MODEL_RUNS = "100", MODEL_SEED, MODEL_PATH } = process.env;
const RUN_MS = 2_000;

let server: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it(
  "loses, doubles and disorders nothing where Redis keeps it, whatever fails",
  async () => {
    const system = await loadSystem(TOPIC_RULES, { openStores: redisStores(server.url) });
    const found = await search(system, {
      runs: Number(REDIS_MODEL_RUNS),
      shrink: true,
      seed: MODEL_SEED === undefined ? undefined : Number(MODEL_SEED),
      path: MODEL_PATH,
    });
    process.stdout.write(`${found.runs} runs with Redis, with MODEL_SEED=${found.seed}\n`);
    if (found.failure !== undefined) throw new Error(found.failure);
  },
  (Number(REDIS_MODEL_RUNS) + 10_000) * RUN_MS,
);
