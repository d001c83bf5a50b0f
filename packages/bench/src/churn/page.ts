import { describeMachine } from "../machine.ts";
import { PRICES } from "../prices.ts";
import { formatSpread, spreadOf } from "../statistics.ts";
import {
  breakEven,
  CACHE_PRICES,
  dynamoDbDollars,
  type Kept,
  keepingDollars,
  leastDollars,
  NAT_HOUR,
  natDollars,
  processingDollars,
} from "./bill.ts";
import { IN_FLIGHT, OPERATIONS } from "./cycle.ts";
import type { Taken } from "./stores.ts";

/** What one server is to carry. */
const TARGET_CYCLES = 5_000;

export interface Run {
  readonly cyclesPerSecond: number;
  /** Cycles that the store couldn't end. */
  readonly broken: number;
  /** Of this process, for each cycle. */
  readonly cpuMicroseconds: number;
  /** Of the store's server; undefined where nobody knows. */
  readonly serverMicroseconds: number | undefined;
  /** Of the machine, when it was over. */
  readonly load: number;
}

/** The first is Redis, the second DynamoDB. */
export interface Measured {
  readonly name: string;
  /** By one cycle. */
  readonly taken: Taken;
  readonly runs: readonly Run[];
}

export interface Circumstances {
  readonly seconds: number;
  /** Said where the machine was busy. */
  readonly load: string | undefined;
}

export function pageOf(all: readonly Measured[], kept: Kept, { seconds, load }: Circumstances): string {
  const [redis, dynamoDb] = all as readonly [Measured, Measured];
  return `# Clients that come and go

Written by \`npm run bench -- churn\` on ${new Date().toISOString().slice(0, 10)}: ${describeMachine()}. ${load ?? ""}

A cycle is a client's short life: it connects, subscribes to three topics, publishes once (100 bytes), and leaves. It goes through the drivers, as the services use them and bundled as they are, from one Node
process with ${IN_FLIGHT} clients at a time, each of which waits for one operation before the next; Redis is one \`redis-server\` on the same machine, DynamoDB is dynalite. The rooms are 1,000. ${redis.runs.length}
interleaved runs of ${seconds} s each; medians, with the lowest and highest.

${rateTable(all)}

**dynalite's time is no measure of DynamoDB**: it is a test double, so that between those two only units and bills can be compared. ${verdict(redis)}

## What a cycle takes

${unitTable(all)}

Round trips are those of a client one after the other; what doesn't depend on one another is sent at once. Those of Redis are to connect, two for each subscribe (the connection's slot knows
whether it may, then the topic's), for the publish a look at who sends, the log and the subscribers, and two to leave.

## The bill

Dollars for a million cycles, from the units above, at us-east-1's prices of November 2026: DynamoDB on demand ($${PRICES.readUnits} a million read units, $${PRICES.writeUnits} a million write
units), ElastiCache Serverless for Valkey ($${CACHE_PRICES.million} a million processing units, $${CACHE_PRICES.gigabyteHour} a GB-hour, at least ${CACHE_PRICES.leastGigabytes * 1_000} MB). What both have in common, API Gateway and Lambda, is left out.

${billTable(redis, dynamoDb, kept)}

Assumed: a simple command takes one processing unit, one that moves more a unit for each KB, and a script as many as it keeps the server's core busy longer than a GET, as \`INFO commandstats\`
measured here: at most so many, because what is common to all commands, such as to read and to answer them, isn't in that time. A client stays for ${minutes(kept.connectionHours)} minutes and takes ${Math.round(kept.connectionBytes)} bytes in Redis with its subscriptions, a message that is the only one of its room ${Math.round(kept.messageBytes)} for ${minutes(kept.messageHours)} minutes. DynamoDB's storage ($0.25 a GB-month) comes to nothing beside.

${whenCheaper(redis, dynamoDb, kept)}
`;
}

function rateTable(all: readonly Measured[]): string {
  const rows = all.map(({ name, runs }) => {
    const spreads = [
      formatSpread(spreadOf(runs.map(({ cyclesPerSecond }) => cyclesPerSecond))),
      formatSpread(spreadOf(runs.map(({ cyclesPerSecond }) => cyclesPerSecond * OPERATIONS))),
      formatSpread(spreadOf(runs.map(({ cpuMicroseconds }) => cpuMicroseconds))),
      formatServer(runs),
      formatSpread(spreadOf(runs.map(({ load }) => load)), 1),
    ];
    return [name, ...spreads, String(runs.reduce((sum, { broken }) => sum + broken, 0))];
  });
  const head = ["", "cycles a second", "operations a second", "µs of this process's CPU a cycle", "of the server's"];
  return table([...head, "load of the machine", 'cycles that met "unavailable"'], rows);
}

function formatServer(runs: readonly Run[]): string {
  const known = runs.flatMap(({ serverMicroseconds }) =>
    serverMicroseconds === undefined ? [] : [serverMicroseconds],
  );
  return known.length === 0 ? "–" : formatSpread(spreadOf(known));
}

/** The CPU of a cycle says what a core each would allow, however much of them others took. */
function verdict({ runs }: Measured): string {
  const { median, highest } = spreadOf(runs.map(({ cyclesPerSecond }) => cyclesPerSecond));
  const busiest = Math.max(
    spreadOf(runs.map(({ cpuMicroseconds }) => cpuMicroseconds)).lowest,
    spreadOf(runs.map(({ serverMicroseconds = 0 }) => serverMicroseconds)).lowest,
  );
  const allowed = `By the CPU time of the run that was disturbed least, a core of their own for this process and for the server would allow ${Math.round(1e6 / busiest).toLocaleString("en")}.`;
  const target = `One Redis server is to carry ${TARGET_CYCLES.toLocaleString("en")} cycles a second`;
  if (median >= TARGET_CYCLES) return `${target}: it does. ${allowed}`;
  if (highest >= TARGET_CYCLES) return `${target}: it does in the best of these runs, not in the median. ${allowed}`;
  return `${target}: not in these runs, in which the client's process was the bound: it has one core. ${allowed}`;
}

function unitTable(all: readonly Measured[]): string {
  const rows = all.map(({ name, taken }) => {
    const { trips, requests, readUnits, writeUnits, ecpus } = taken;
    return [name, ...[trips, requests, readUnits, writeUnits, ecpus].map(formatCount)];
  });
  return table(["", "round trips", "requests", "read units", "write units", "processing units"], rows);
}

function formatCount(count: number | undefined): string {
  return count === undefined ? "–" : count.toLocaleString("en", { maximumFractionDigits: 1 });
}

function billTable(redis: Measured, dynamoDb: Measured, kept: Kept): string {
  const rows = [
    [dynamoDb.name, formatDollars(dynamoDbDollars(dynamoDb.taken)), "nothing"],
    [redis.name, formatDollars(redisDollars(redis, kept)), formatDollars(leastDollars())],
    ["memory", "a machine's rent", "a machine's rent"],
  ];
  return table(["", "a million cycles", "a month in which nothing happens"], rows);
}

function redisDollars({ taken }: Measured, kept: Kept): number {
  return processingDollars(taken) + keepingDollars(kept);
}

/** Up to there the least that is billed has room for what is kept. */
function whenCheaper(redis: Measured, dynamoDb: Measured, kept: Kept): string {
  const [dearer, cheaper] = [dynamoDbDollars(dynamoDb.taken), processingDollars(redis.taken)];
  const alone = breakEven(leastDollars(), dearer, cheaper);
  const withNat = breakEven(leastDollars() + natDollars(), dearer, cheaper);
  const fits = (CACHE_PRICES.leastGigabytes * 1e9) / kept.connectionBytes;
  return `**Redis is cheaper from ${formatMillions(alone)} cycles a month on**, when its least charge (${formatDollars(leastDollars())} a month) is made good; that has room for ${Math.round(fits / 1_000).toLocaleString("en")} thousand clients at a time. Where
Lambdas reach \`@connections\` from the VPC through a NAT gateway ($${NAT_HOUR} an hour, ${formatDollars(natDollars())} a month and zone, data not counted), it is from ${formatMillions(withNat)} on. Below that DynamoDB
costs less, and nothing while nobody comes.`;
}

function formatMillions(millions: number): string {
  return `${millions.toLocaleString("en", { maximumFractionDigits: 1 })} million`;
}

function formatDollars(dollars: number): string {
  return `$${dollars.toFixed(2)}`;
}

function minutes(hours: number): number {
  return Math.round(hours * 60);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
