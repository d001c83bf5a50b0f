import { expect, it } from "@jest/globals";
import { clientsOf, SHORT_PLAN } from "../src/soak/plan.ts";
import { runSoak, type SoakSample } from "../src/soak/soak.ts";

const SECONDS = 12;
/** By its first sample the host has run all of its code; 240 bytes that were kept of each delivery would be more than this. */
const MAX_GROWTH_BYTES = 4 * 1_024 ** 2;

it("clients that come and go lose nothing, get nothing twice, and leave nothing behind in the host", async () => {
  const samples: SoakSample[] = [];
  const { ended, complete } = await runSoak({
    plan: SHORT_PLAN,
    seconds: SECONDS,
    sampleSeconds: 3,
    onSample: (sample) => samples.push(sample),
  });
  expect(complete).toMatchObject({ lost: 0, doubled: 0, published: ended.published });
  // However slow the machine is, everyone had something, and some of all kinds came and went.
  expect(complete.deliveries).toBeGreaterThan(clientsOf(SHORT_PLAN));
  for (const moves of [complete.cuts, complete.pauses, complete.replacements]) expect(moves).toBeGreaterThan(SECONDS);
  expect(samples.at(-1)!.heapBytes - samples[0]!.heapBytes).toBeLessThan(MAX_GROWTH_BYTES);
}, 120_000);
