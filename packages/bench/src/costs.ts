import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { startHost } from "@topicast/local";
import { type Budget, OPERATIONS, type Operation, type Services } from "./cost-operations.ts";
import { type Counts, PRICES, type Publish, shareOf } from "./prices.ts";
import { playGames, TICK_RULES } from "./tick-costs.ts";
import { isOverTarget, tickSection } from "./tick-costs-page.ts";
import { countedBetween, quietCounts, type WireHost } from "./wire-counts.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FILE = "docs/costs.md";

const QUIET_MS = 300;
/** Clients that leave at once: an emulator that hundreds ask at once keeps them waiting for too long. */
const LEAVING = 20;

/** Counts on the wire what each operation consumes, prints the table, keeps it in docs/costs.md, and fails where one is over its budget. */
export async function benchCosts(): Promise<void> {
  const host = await startWireHost();
  const rows: string[] = [];
  const over: string[] = [];
  let ticks = "";
  try {
    for (const operation of OPERATIONS) {
      const measured = await measure(host, operation);
      rows.push(formatRow(operation, measured));
      if (isOver(operation.budget, measured)) over.push(operation.name);
    }
    const games = await playGames(host, `ws://127.0.0.1:${host.port}/message-topic`);
    over.push(...games.filter(isOverTarget).map(({ name }) => name));
    ticks = tickSection(games);
  } finally {
    await host.close();
  }
  const table = [...HEAD, ...rows].join("\n");
  process.stdout.write(`${table}\n\n${ticks}`);
  await writeFile(`${ROOT}${FILE}`, page(table, ticks));
  if (over.length > 0) throw new Error(`Over their budget: ${over.join(", ")}.`);
}

export async function startWireHost(): Promise<WireHost> {
  const services = ["message-topic", "message-broadcast"].map((name) => `${ROOT}services/${name}`);
  return (await startHost({ services, port: 0, wire: {}, environment: { TOPIC_RULES: TICK_RULES } })) as WireHost;
}

/** What an operation took, counted on the wire. */
export async function measure(host: WireHost, { prepare, run }: Operation): Promise<Publish> {
  const services: Services = {
    topic: `ws://127.0.0.1:${host.port}/message-topic`,
    topicHttp: `http://127.0.0.1:${host.port}/message-topic`,
    broadcast: `ws://127.0.0.1:${host.port}/message-broadcast`,
  };
  const clients = await prepare(services);
  const before = await quietCounts(host, QUIET_MS);
  await run(clients, services);
  const after = await quietCounts(host, QUIET_MS);
  for (let first = 0; first < clients.length; first += LEAVING) {
    for (const client of clients.slice(first, first + LEAVING)) client.vanish();
    await quietCounts(host, QUIET_MS);
  }
  return countedBetween(before, after);
}

export function isOver({ share = Number.POSITIVE_INFINITY, ...budget }: Budget, measured: Publish): boolean {
  const keys = Object.keys(PRICES) as (keyof Counts)[];
  const isAbove = keys.some((key) => measured.counts[key] > (budget[key] ?? Number.POSITIVE_INFINITY));
  return isAbove || shareOf(measured) > share;
}

const HEAD = [
  "| operation | read units | write units | SQS requests | posts | $ a million | all but API Gateway | budget |",
  "|---|---|---|---|---|---|---|---|",
];

function formatRow({ name, budget }: Operation, measured: Publish): string {
  const { counts } = measured;
  const keys = Object.keys(PRICES) as (keyof Counts)[];
  const dollars = keys.reduce((sum, key) => sum + counts[key] * PRICES[key], 0);
  const { readUnits, writeUnits, queueRequests, posts } = counts;
  const share = budget.share === undefined ? "" : `${formatPercent(shareOf(measured))} of it`;
  const cells = [name, readUnits, writeUnits, queueRequests, posts, dollars.toFixed(2), share, formatBudget(budget)];
  return `| ${cells.join(" | ")} |`;
}

function formatPercent(part: number): string {
  return `${(part * 100).toFixed(1).replace(/\.0$/, "")} %`;
}

function formatBudget({ readUnits, writeUnits, queueRequests, posts, share }: Budget): string {
  const parts = { read: readUnits, written: writeUnits, SQS: queueRequests, posts };
  return Object.entries(parts)
    .flatMap(([name, most]) => (most === undefined ? [] : [`${most} ${name}`]))
    .concat(share === undefined ? [] : [`${formatPercent(share)} beside API Gateway`])
    .join(", ");
}

function page(table: string, ticks: string): string {
  return `# What each operation costs

Counted on the wire by \`npm run bench -- costs\`, which wrote this page: the real services on the local host, the real SDK clients, DynamoDB as dynalite and
SQS as fauxqs report it. Dollars for a million operations at November 2026's prices of us-east-1: a million read units $${PRICES.readUnits}, write units
$${PRICES.writeUnits}, SQS requests of 64 KB $${PRICES.queueRequests}, and posts of 32 KB $${PRICES.posts.toFixed(2)}, which is API Gateway's charge for a message out. What else AWS charges is not counted here:
messages in ($1.00), connection minutes ($0.25), Lambda, logs, and the polls of a queue in which nothing happens.

${table}

"All but API Gateway" is what else a client's publish costs, in parts of what API Gateway charges for it: the message in, its ack, and the posts. Here
Lambda is in it, on arm: a request ($0.20 a million) and the time ($0.0000133334 a GB-s) of the function that publishes, 256 MB, and of each worker, 512 MB. The
time is assumed, because an emulator can't tell it: each waits 50 ms in all, and a post takes 0.25 ms of a core, which a Lambda has for each 1,769 MB. Connection
minutes and logs are left out.

The budget is what an operation may consume at the most; the command fails where one is over it. A connection with more than some 33 topics pays one write unit more for each
further kilobyte of its row. A retried post is a job of its own: one SQS request to send it and two to take it. Whoever has a user (a token's, or a
client's secret) pays one write unit more at disconnect too, and an application with \`maxConnections\` one at each end.

${ticks}`;
}
