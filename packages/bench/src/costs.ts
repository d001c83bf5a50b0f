import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Host, startHost } from "@topicast/local";
import { type Budget, OPERATIONS, type Operation, type Services } from "./cost-operations.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FILE = "docs/costs.md";

/** US dollars for each million, us-east-1, on demand, November 2026. */
const PRICES = { readUnits: 0.125, writeUnits: 0.625, queueRequests: 0.4, posts: 1 };

type Counts = Record<keyof typeof PRICES, number>;
type WireHost = Host & { readonly wire: NonNullable<Host["wire"]> };

const QUIET_MS = 300;

/** Counts on the wire what each operation consumes, prints the table, keeps it in docs/costs.md, and fails where one is over its budget. */
export async function benchCosts(): Promise<void> {
  const services = ["message-topic", "message-broadcast"].map((name) => `${ROOT}services/${name}`);
  const host = (await startHost({ services, port: 0, wire: {} })) as WireHost;
  const rows: string[] = [];
  const over: string[] = [];
  try {
    for (const operation of OPERATIONS) {
      const counts = await measure(host, operation);
      rows.push(formatRow(operation, counts));
      if (isOver(operation.budget, counts)) over.push(operation.name);
    }
  } finally {
    await host.close();
  }
  const table = [...HEAD, ...rows].join("\n");
  process.stdout.write(`${table}\n`);
  await writeFile(`${ROOT}${FILE}`, page(table));
  if (over.length > 0) throw new Error(`Over their budget: ${over.join(", ")}.`);
}

async function measure(host: WireHost, { prepare, run }: Operation): Promise<Counts> {
  const services: Services = {
    topic: `ws://127.0.0.1:${host.port}/message-topic`,
    topicHttp: `http://127.0.0.1:${host.port}/message-topic`,
    broadcast: `ws://127.0.0.1:${host.port}/message-broadcast`,
  };
  const clients = await prepare(services);
  const before = await quietCounts(host);
  await run(clients, services);
  const after = await quietCounts(host);
  for (const client of clients) client.vanish();
  await quietCounts(host);
  const keys = Object.keys(PRICES) as (keyof Counts)[];
  return Object.fromEntries(keys.map((key) => [key, after[key] - before[key]])) as Counts;
}

/** The counts when nothing changed for a while: handlers may still run after the answer. */
async function quietCounts({ wire }: WireHost): Promise<Counts> {
  for (;;) {
    const counts = read(wire);
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    if (JSON.stringify(read(wire)) === JSON.stringify(counts)) return counts;
  }
}

function read(wire: WireHost["wire"]): Counts {
  const { readUnits, writeUnits, posts, queueRequests } = wire.counts();
  const { SendMessageBatch = 0, SendMessage = 0, DeleteMessageBatch = 0 } = queueRequests;
  // Each batch that is deleted was received once; polls of an empty queue are no operation's.
  return { readUnits, writeUnits, posts, queueRequests: SendMessageBatch + SendMessage + 2 * DeleteMessageBatch };
}

function isOver(budget: Budget, counts: Counts): boolean {
  const keys = Object.keys(PRICES) as (keyof Counts)[];
  return keys.some((key) => counts[key] > (budget[key] ?? Number.POSITIVE_INFINITY));
}

const HEAD = [
  "| operation | read units | write units | SQS requests | posts | $ a million | budget |",
  "|---|---|---|---|---|---|---|",
];

function formatRow({ name, budget }: Operation, counts: Counts): string {
  const keys = Object.keys(PRICES) as (keyof Counts)[];
  const dollars = keys.reduce((sum, key) => sum + counts[key] * PRICES[key], 0);
  const { readUnits, writeUnits, queueRequests, posts } = counts;
  return `| ${[name, readUnits, writeUnits, queueRequests, posts, dollars.toFixed(2), formatBudget(budget)].join(" | ")} |`;
}

function formatBudget({ readUnits, writeUnits, queueRequests, posts }: Budget): string {
  const parts = { read: readUnits, written: writeUnits, SQS: queueRequests, posts };
  return Object.entries(parts)
    .flatMap(([name, most]) => (most === undefined ? [] : [`${most} ${name}`]))
    .join(", ");
}

function page(table: string): string {
  return `# What each operation costs

Counted on the wire by \`npm run bench -- costs\`, which wrote this page: the real services on the local host, the real SDK clients, DynamoDB as dynalite and
SQS as fauxqs report it. Dollars for a million operations at November 2026's prices of us-east-1: a million read units $${PRICES.readUnits}, write units
$${PRICES.writeUnits}, SQS requests of 64 KB $${PRICES.queueRequests}, and posts of 32 KB $${PRICES.posts.toFixed(2)}, which is API Gateway's charge for a message out. What else AWS charges is not counted here:
messages in ($1.00), connection minutes ($0.25), Lambda, logs, and the polls of a queue in which nothing happens.

${table}

The budget is what an operation may consume at the most; the command fails where one is over it. A connection with more than some 33 topics pays one write unit more for each
further kilobyte of its row. A retried post is a job of its own: one SQS request to send it and two to take it. Whoever has a user (a token's, or a
client's secret) pays one write unit more at disconnect too, and an application with \`maxConnections\` one at each end.
`;
}
