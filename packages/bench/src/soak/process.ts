import { setTimeout } from "node:timers/promises";
import { createLedger } from "./ledger.ts";
import type { SoakAnswer, SoakOrder, SoakTotals } from "./orders.ts";
import { createPopulation } from "./population.ts";
import { createPublishers } from "./publishers.ts";

/*
 * The clients of a soak, and its publishers: a process of its own, so that what they cost is not the host's.
 */

const TICK_MS = 20;
const TELL_MS = 1_000;
/** What hasn't come so long after the last publish is lost: the SDK asks for what it lacks after a few seconds of silence. */
const COMPLETE_MS = 60_000;

async function run({ url, plan, seconds }: SoakOrder): Promise<void> {
  const ledger = createLedger();
  const population = await createPopulation(url, plan, ledger);
  const publishers = createPublishers(url, population.topics, plan.messagesPerSecond, ledger);
  const startedAt = performance.now();
  const totals = (lost: number): SoakTotals => ({
    seconds: (performance.now() - startedAt) / 1_000,
    published: ledger.published,
    deliveries: ledger.deliveries,
    doubled: ledger.doubled,
    lost,
    ...population.churn,
  });
  const until = startedAt + seconds * 1_000;
  let movedAt = startedAt;
  let toldAt = movedAt;
  for (let now = movedAt; now < until; now = performance.now()) {
    publishers.publish();
    population.move((now - movedAt) / 1_000);
    movedAt = now;
    if (now - toldAt >= TELL_MS) {
      toldAt = now;
      tell({ type: "progress", totals: totals(0) });
    }
    await setTimeout(TICK_MS);
    if (publishers.failure !== undefined) throw publishers.failure;
  }
  tell({ type: "ended", totals: totals(0) });
  const patientUntil = performance.now() + COMPLETE_MS;
  while ((publishers.pending > 0 || population.incomplete() > 0) && performance.now() < patientUntil) {
    await setTimeout(TICK_MS);
  }
  if (publishers.pending > 0) throw new Error(`${publishers.pending} publishes were never acknowledged.`);
  tell({ type: "complete", totals: totals(ledger.lost()) });
  population.close();
  publishers.close();
  process.disconnect();
}

function tell(answer: SoakAnswer): void {
  process.send?.(answer);
}

process.once("message", (order: SoakOrder) => {
  run(order).catch((error: Error) => {
    tell({ type: "failed", message: error.message });
    process.exitCode = 1;
    process.disconnect();
  });
});
