import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ConnectionGateway, ConnectionId, Target } from "@topicast/core";
import { gatewayOf } from "@topicast/core/backend";
import { formatSpread, spreadOf } from "./statistics.ts";

const STUB = fileURLToPath(new URL("./management-stub.ts", import.meta.url));
const FILE = fileURLToPath(new URL("../../../docs/post-concurrency.md", import.meta.url));

/** What a post may take in a region: its own API is some 10 ms away; at p99, or from another region, it is more. */
const LATENCIES_MS = [10, 25, 50];
const CONCURRENCIES = [8, 16, 32, 64, 128, 256];
const PAGE = 500;
const FRAME = JSON.stringify({
  type: "messages",
  topic: "bench/1",
  epoch: "k3f9",
  messages: [{ seq: 1, payload: "x" }],
});

/** The worker's share of a core: its 512 MB, of the 1,769 MB at which a Lambda has a whole one (AWS's "Configure Lambda function memory"). */
const WORKER_CORES = 512 / 1_769;

interface Measured {
  readonly postsPerSecond: number;
  readonly cpuMsOfEach: number;
}

/** Posts a second through the driver and the SDK, for different numbers of posts at once; prints a table and keeps it in docs/post-concurrency.md. */
export async function benchPostConcurrency(runs: number, seconds: number): Promise<void> {
  // The stub asks for no signature, the client makes one.
  Object.assign(process.env, { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "any", AWS_SECRET_ACCESS_KEY: "any" });
  const cases = LATENCIES_MS.flatMap((latencyMs) => CONCURRENCIES.map((concurrency) => ({ latencyMs, concurrency })));
  const results = cases.map(() => [] as Measured[]);
  for (let run = 1; run <= runs; run++) {
    for (const [index, { latencyMs, concurrency }] of cases.entries()) {
      process.stderr.write(`run ${run} of ${runs}: ${concurrency} at once, ${latencyMs} ms each\n`);
      results[index]?.push(await measure(latencyMs, concurrency, seconds));
    }
  }
  const rows = cases.map(({ latencyMs, concurrency }, index) =>
    formatRow(latencyMs, concurrency, results[index] ?? []),
  );
  const table = [...HEAD, ...rows].join("\n");
  process.stdout.write(`${table}\n`);
  await writeFile(FILE, page(table, runs));
}

async function measure(latencyMs: number, concurrency: number, seconds: number): Promise<Measured> {
  const stub = fork(STUB, [String(latencyMs)], { execArgv: ["--import", "tsx"] });
  try {
    const [port] = await once(stub, "message");
    const gateway = gatewayTo(`http://127.0.0.1:${port}/prod`, concurrency);
    await postFor(gateway, 0.5);
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    const posts = await postFor(gateway, seconds);
    const elapsedSeconds = (performance.now() - startedAt) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { postsPerSecond: posts / elapsedSeconds, cpuMsOfEach: (user + system) / 1_000 / posts };
  } finally {
    stub.disconnect();
  }
}

function gatewayTo(gatewayEndpoint: string, concurrency: number): ConnectionGateway {
  const unused = { tableName: "-", fanoutQueueUrl: "-", deadLetterQueueUrl: "-" };
  const log = (message: string, fields: object) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  const posting = { concurrency, timeoutMs: 3_000 };
  return gatewayOf({ backend: { store: "dynamodb", gatewayEndpoint, ...unused }, posting }, { warn: log, error: log });
}

/** Pages of targets one after the other, as a worker posts to them. */
async function postFor(gateway: ConnectionGateway, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1_000;
  const targets = Array.from({ length: PAGE }, (_, i): Target => {
    return { id: `client-${i}` as ConnectionId, address: "", connectedAt: 0 };
  });
  let posts = 0;
  while (performance.now() < until) {
    const { gone, throttled, failed } = await gateway.post(targets, FRAME);
    if (gone.length + throttled.length + failed.length > 0) throw new Error("A post failed.");
    posts += PAGE;
  }
  return posts;
}

const HEAD = [
  "| a post takes | at once | posts a second, median (lowest to highest) | ms of a core for each | posts a second that 512 MB allow |",
  "|---|---|---|---|---|",
];

function formatRow(latencyMs: number, concurrency: number, measured: readonly Measured[]): string {
  const rates = spreadOf(measured.map(({ postsPerSecond }) => postsPerSecond));
  const cpu = spreadOf(measured.map(({ cpuMsOfEach }) => cpuMsOfEach));
  const allowed = Math.min(rates.median, (WORKER_CORES * 1_000) / cpu.median);
  return `| ${latencyMs} ms | ${concurrency} | ${formatSpread(rates)} | ${formatSpread(cpu, 2)} | ${Math.round(allowed)} |`;
}

function page(table: string, runs: number): string {
  return `# How many posts at once

\`POST_CONCURRENCY\` is how many posts to \`@connections\` one Lambda has under way at a time. \`npm run bench -- post-concurrency\` wrote this page: it posts pages of
${PAGE} through the real driver and SDK client to a server that answers after a given time, in ${runs} interleaved runs on whatever machine it runs on.

${table}

More at once helps until the Lambda's share of a core is used up: from there on each post only waits longer, and more of them are cut off when the Lambda's time ends. The last
column is what a worker of 512 MB, which has ${WORKER_CORES.toFixed(2)} of a core, gets of it: the smaller of the rate measured and its share of a core divided by what a post costs.

**64** is the default because ten workers, as many as \`FANOUT_CONCURRENCY\` lets run, then make about the 10,000 posts a second that an account may, wherever a post takes 10 to
50 ms. More at once brings a worker two thirds more at most, and all of them together 429s. Who has a higher limit raises \`FANOUT_CONCURRENCY\` first.

API Gateway takes 10,000 requests a second of an account and region, with bursts of 5,000, unless AWS raised that. Workers know nothing of each other, so the account's limit is
kept by what they are answered: on 429s to two clients or more a Lambda makes half as many posts at once; each round that comes through adds one, up to
\`POST_CONCURRENCY\`. Where that brings nothing through all pause, for 50 to 400 ms. Where nothing came through for three seconds, what is left goes back to the queue until later. A single client that is
refused, because it doesn't read, slows nobody down. See \`post-pace.ts\`.
`;
}
