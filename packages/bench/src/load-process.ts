import { type Audience, createAudience } from "./audience.ts";
import { DIALECTS } from "./dialects/index.ts";
import type { LoadAnswer, LoadOrder, LoadResults } from "./load-orders.ts";
import { flood, pace } from "./publishing.ts";

/*
 * The load generator: a process of its own, so that what it costs is neither the server's nor that of whoever measures.
 */

let audience: Audience | undefined;

async function run(order: LoadOrder): Promise<LoadResults[LoadOrder["type"]]> {
  if (order.type === "connect") {
    audience ??= createAudience(order.url, DIALECTS[order.dialect], fail);
    await audience.connect(order.connections);
    return {};
  }
  if (audience === undefined) throw new Error("Nobody is connected.");
  if (order.type === "flood") return flood(audience, order);
  if (order.type === "pace") return pace(audience, order);
  await audience.subscribe(order.topics, order.subscribersOfEach);
  return {};
}

async function take(order: LoadOrder): Promise<void> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const result = await run(order);
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  tell({ type: "done", took: { elapsedSeconds, cpuSeconds: (user + system) / 1e6 }, result });
}

function tell(answer: LoadAnswer): void {
  process.send?.(answer);
}

function fail(error: Error): void {
  tell({ type: "failed", message: error.message });
}

process.on("message", (order: LoadOrder) => {
  take(order).catch(fail);
});
