import type { Audience } from "./audience.ts";
import type { LoadOrder, LoadResults } from "./load-orders.ts";
import { createPayload, payloadNumbersIn } from "./payload.ts";
import { percentileOf } from "./statistics.ts";

type Order<T extends LoadOrder["type"]> = Extract<LoadOrder, { type: T }>;

/** Publishes as fast as deliveries arrive. */
export async function flood(audience: Audience, order: Order<"flood">): Promise<LoadResults["flood"]> {
  const { subscribersOfEach, published, deliveries } = audience;
  const startedAt = performance.now();
  let isDue = false;
  /** Publishes that may have been made by now. */
  const wanted = () =>
    published + Math.floor((audience.deliveries - deliveries) / subscribersOfEach) + order.outstanding;
  /** As many as are complete, in one write. */
  function publish(): void {
    isDue = false;
    audience.publish(payloadsFrom(audience.published, wanted() - audience.published));
  }
  publish();
  audience.onDeliveries = () => {
    if (isDue || wanted() <= audience.published) return;
    isDue = true;
    setImmediate(() => isDue && publish());
  };
  await new Promise((resolve) => setTimeout(resolve, order.seconds * 1_000));
  isDue = false;
  audience.onDeliveries = () => {};
  await audience.complete();
  const elapsedSeconds = (audience.completedAt - startedAt) / 1_000;
  return { deliveries: audience.deliveries - deliveries, elapsedSeconds };
}

/**
 * Publishes to the times of a plan. Who is late, the generator or the server, is late for every message that is behind: the time of each counts from
 * when it was due.
 */
export async function pace(audience: Audience, { perSecond, seconds }: Order<"pace">): Promise<LoadResults["pace"]> {
  const { published: first, subscribersOfEach } = audience;
  const publishes = perSecond * seconds;
  const latenciesMs = new Float64Array(publishes * subscribersOfEach);
  let received = 0;
  const startedAt = performance.now();
  const dueAt = (number: number) => startedAt + ((number - first) * 1_000) / perSecond;
  audience.watch((bytes, deliveries) => {
    const now = performance.now();
    const numbers = payloadNumbersIn(bytes);
    if (numbers.length !== deliveries) throw new Error(`Of ${deliveries} deliveries ${numbers.length} had a number.`);
    for (const number of numbers) latenciesMs[received++] = now - dueAt(number);
  });
  while (audience.published < first + publishes) {
    const waitMs = dueAt(audience.published) - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    else audience.publish(payloadsFrom(audience.published, 1));
  }
  await audience.complete();
  audience.watch(undefined);
  latenciesMs.sort();
  return { deliveries: received, p50Ms: percentileOf(latenciesMs, 50), p99Ms: percentileOf(latenciesMs, 99) };
}

function payloadsFrom(number: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => createPayload(number + at));
}
