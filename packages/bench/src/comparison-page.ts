import { CHARTS, renderChart } from "./charts.ts";
import { CONTESTANTS } from "./contestants/index.ts";
import { writeBesidePage, writeSection } from "./documentation.ts";
import { describeContestants, describeMachine } from "./machine.ts";
import { WARM_UP_SECONDS } from "./measuring.ts";
import { PAYLOAD_BYTES } from "./payload.ts";
import type { Results } from "./results.ts";
import { formatTables } from "./tables.ts";
import { formatTargets } from "./targets.ts";

/** How it was measured. */
export interface Circumstances {
  readonly runs: number;
  readonly seconds: number;
  /** What else the machine had to do, if anything. */
  readonly load: string | undefined;
}

/** Writes the comparison's section of docs/benchmarks.md, and its charts. */
export async function writeComparison(results: Results, circumstances: Circumstances): Promise<void> {
  for (const chart of CHARTS) await writeBesidePage(`benchmarks/${chart.file}`, renderChart(chart, results));
  await writeSection("comparison", pageOf(results, circumstances));
}

function pageOf(results: Results, { runs, seconds, load }: Circumstances): string {
  const { contestants } = results;
  const missing = CONTESTANTS.filter(({ id }) => !contestants.some((contestant) => contestant.id === id));
  const charts = CHARTS.map(({ file, title }) => `![${title}](benchmarks/${file})`).join("\n\n");
  return `## Beside other servers
${load === undefined ? "" : `\n**${load}**\n`}
Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${describeMachine()}. Measured were ${describeContestants(contestants)}.${missing
    .map(({ name, origin }) => ` Left out, because it wasn't installed: ${name} (${origin}).`)
    .join("")}

- Every server runs in a process of its own, and so does the load generator, which speaks each server's protocol over raw WebSocket frames. Where
  it used 0.9 of a core or more, it may be what was measured, and the table says so.
- All publish the same JSON objects of ${PAYLOAD_BYTES} bytes. The host does everything that it does for anyone (handlers, checks, numbers, log, acks); only its
  limit of messages a second for one connection is raised. The others are as they are out of the box; none of them compresses.
- A delivery counts when a subscriber has read it, and each run is void unless every subscriber had each message once. "32 outstanding" means that so many
  messages are under way to some subscriber at any moment.
- Latency is from the moment at which a message was due to be sent, whatever was late, until each of its subscribers has read it.
- Memory is what the server's resident set grew by for each connection, once garbage is collected; a server in Go can't be told to.
- Figures are medians of ${runs} interleaved runs, in brackets the lowest and the highest. Each run has a fresh server, which scenarios of as many subscribers and
  topics share, and publishes for ${seconds} s after a warm-up of ${WARM_UP_SECONDS} s; for latency twice as long.
  \`npm run bench -- --runs 1 --only latency\` measures a part.

### Targets

${formatTargets(results)}

${charts}

${formatTables(results)}`;
}
