import { BenchError } from "../bench-error.ts";
import { writeSection } from "../documentation.ts";
import { describeLoad, describeMachine, requireOpenFiles } from "../machine.ts";
import { slopeOf } from "../statistics.ts";
import { clientsOf, deliveriesPerSecondOf, FULL_PLAN } from "./plan.ts";
import { runSoak, type SoakResult, type SoakSample } from "./soak.ts";

const SAMPLE_SECONDS = 10;
/** The host keeps keys for five minutes and history for two: until then its memory has to grow. */
const WARM_UP_SECONDS = 330;
/** More than noise; 32 bytes that were kept of each message would be more than this. */
const MAX_HEAP_MIB_A_MINUTE = 1;
const MIB = 1_024 ** 2;

/** Runs the soak, keeps its figures in docs/benchmarks.md, and fails where something was lost, came twice, or memory grew. */
export async function benchSoak({ minutes, write }: { readonly minutes: number; readonly write: boolean }) {
  requireOpenFiles(clientsOf(FULL_PLAN));
  const seconds = minutes * 60;
  process.stderr.write(
    `${clientsOf(FULL_PLAN).toLocaleString("en")} clients, ${deliveriesPerSecondOf(FULL_PLAN).toLocaleString("en")} deliveries a second, ${minutes} min\n`,
  );
  const load = describeLoad();
  if (load !== undefined) process.stderr.write(`${load}\n`);
  const result = await runSoak({
    plan: FULL_PLAN,
    seconds,
    sampleSeconds: SAMPLE_SECONDS,
    onSample: (sample) => process.stderr.write(`${formatSample(sample, seconds)}\n`),
  });
  const text = pageOf(result, minutes, load);
  process.stdout.write(`${text}\n`);
  if (write) await writeSection("soak", text);
  const { lost, doubled } = result.complete;
  const growth = growthOf(result);
  if (lost + doubled > 0) throw new BenchError(`${lost} messages were lost, ${doubled} came twice.`);
  if (growth !== undefined && growth.heap > MAX_HEAP_MIB_A_MINUTE) throw new BenchError("The host's memory grew.");
}

function formatSample({ heapBytes, residentBytes = Number.NaN, totals }: SoakSample, seconds: number): string {
  const { deliveries, doubled, cuts, pauses, replacements } = totals;
  const rate = Math.round(deliveries / totals.seconds);
  return [
    `${Math.round(totals.seconds)} of ${seconds} s`,
    `${rate.toLocaleString("en")} deliveries a second`,
    `heap ${mib(heapBytes)} MiB, resident ${mib(residentBytes)} MiB`,
    `${cuts} cuts, ${pauses} pauses, ${replacements} replacements, ${doubled} doubled`,
  ].join("; ");
}

/** MiB a minute, by least squares over what follows the warm-up; undefined where the soak was too short for that. */
function growthOf({ samples }: SoakResult): { readonly heap: number; readonly resident: number } | undefined {
  const warm = samples.filter(({ totals }) => totals.seconds >= WARM_UP_SECONDS);
  if (warm.length < 2) return undefined;
  const slope = (read: (sample: SoakSample) => number) =>
    slopeOf(warm.map((sample) => ({ x: sample.totals.seconds / 60, y: read(sample) / MIB })));
  return {
    heap: slope(({ heapBytes }) => heapBytes),
    resident: slope(({ residentBytes = Number.NaN }) => residentBytes),
  };
}

function pageOf(result: SoakResult, minutes: number, load: string | undefined): string {
  const { ended, complete, samples } = result;
  const growth = growthOf(result);
  const [plan, last] = [FULL_PLAN, samples.at(-1) as SoakSample];
  const rows: [string, string][] = [
    [
      "deliveries",
      `${complete.deliveries.toLocaleString("en")} of ${complete.published.toLocaleString("en")} messages`,
    ],
    ["deliveries a second", Math.round(ended.deliveries / ended.seconds).toLocaleString("en")],
    ["connections cut, which came back", complete.cuts.toLocaleString("en")],
    ["clients that left their topic and subscribed anew", complete.pauses.toLocaleString("en")],
    ["clients that went, and others that came", complete.replacements.toLocaleString("en")],
    ["lost behind the receiver", `${complete.lost}`],
    ["doubled behind the receiver", `${complete.doubled}`],
    ["heap at the end, once collected", `${mib(last.heapBytes)} MiB`],
    ["resident at the end", `${mib(last.residentBytes ?? Number.NaN)} MiB`],
    [
      `heap's growth after ${WARM_UP_SECONDS} s (at most ${MAX_HEAP_MIB_A_MINUTE} MiB a minute)`,
      growth === undefined ? "too short to tell" : `${growth.heap.toFixed(2)} MiB a minute`,
    ],
    [
      "resident set's growth",
      growth === undefined ? "too short to tell" : `${growth.resident.toFixed(2)} MiB a minute`,
    ],
  ];
  return `## Soak
${load === undefined ? "" : `\n**${load}**\n`}
Written by \`npm run bench -- soak --minutes ${minutes}\` on ${new Date().toISOString().slice(0, 10)}: ${describeMachine()}.
${clientsOf(plan).toLocaleString("en")} clients with the SDK, each on one of ${plan.groups.map(({ topics, subscribersOfEach }) => `${topics} topics of ${subscribersOfEach}`).join(" and ")}, ${plan.messagesPerSecond} messages a second to each topic, through \`npm start\` as it is. Each second
${plan.cutsPerSecond} connections are cut, ${plan.pausesPerSecond} clients leave their topic and subscribe anew, and ${plan.replacementsPerSecond} go for good and others come. Each message carries a number, and each client must have all of them in
order. Memory is the host's: it may grow until its history (two minutes) and its idempotency keys (five minutes) are as old as they get.

| | |
|---|---|
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}`;
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
