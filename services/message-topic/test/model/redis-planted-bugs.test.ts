import { afterAll, beforeAll, it } from "@jest/globals";
import { startRedis } from "@topicast/testing";
import { findBug } from "./planted.ts";
import { REDIS_BUGS } from "./redis-bugs.ts";
import { redisStores } from "./stores.ts";
import { loadSystem } from "./system.ts";
import { TOPIC_RULES } from "./topics.ts";

/** Of a search. Each is found in the first few. */
const RUNS = 300;

let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it.each(Object.entries(REDIS_BUGS))(
  "finds %s",
  async (name, bug) => {
    const system = await loadSystem(TOPIC_RULES, { patches: bug.patches, openStores: redisStores(server.url) });
    await findBug(system, name, bug, RUNS);
  },
  5 * 60_000,
);
