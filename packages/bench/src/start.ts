import { startHostProcess } from "./server-process.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/** Prints how long `npm start` takes, from the process to its addresses. */
export async function benchStart(runs: number): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    const host = await startHostProcess();
    times.push(performance.now() - startedAt);
    await host.stop();
  }
  process.stdout.write(
    `ms until the host prints its addresses, median (lowest to highest): ${formatSpread(spreadOf(times))}\n`,
  );
}
