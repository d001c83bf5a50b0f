import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { describeLoad } from "../machine.ts";
import { createProgress } from "../progress.ts";
import type { Kept } from "./bill.ts";
import { bundleCode, type Code } from "./bundled-code.ts";
import { IN_FLIGHT, roomOf } from "./cycle.ts";
import { type Measured, pageOf, type Run } from "./page.ts";
import { openDynamoDb, openMemory, openRedis, type Store, type Taken } from "./stores.ts";

const FILE = fileURLToPath(new URL("../../../../docs/churn.md", import.meta.url));

/** Cycles one after the other whose calls are counted, once the same number has warmed up what there is to warm. */
const COUNTED = 50;
/** Clients that stay, and messages, whose memory is looked at. */
const KEPT = 1_000;
/** A client's life and a message's that are assumed; the latter is the default of history. */
const CONNECTION_HOURS = 10 / 60;
const MESSAGE_HOURS = 2 / 60;

/** Cycles of clients that come and go, in each store in turn; prints the page and keeps it in docs/churn.md. */
export async function benchChurn(runs: number, seconds: number): Promise<void> {
  const load = describeLoad();
  const code = await bundleCode();
  const kept = await measureKept(code);
  const stores: readonly Store[] = [await openRedis(code), await openDynamoDb(code), await openMemory(code)];
  try {
    const taken = new Map<Store, Taken>();
    for (const store of stores) taken.set(store, await countCycles(code, store));
    const results = await runAll(code, stores, runs, seconds);
    const measured = stores.map((store): Measured => {
      return { name: store.name, taken: taken.get(store) as Taken, runs: results.get(store) ?? [] };
    });
    const page = pageOf(measured, kept, { seconds, load });
    process.stdout.write(page);
    await writeFile(FILE, page);
  } finally {
    for (const store of stores) await store.close();
  }
}

/** What one cycle takes, on average. */
async function countCycles({ runCycle }: Code, { measure }: Store): Promise<Taken> {
  const cycles = async (first: number, drivers: Store["drivers"]) => {
    for (let i = 0; i < COUNTED; i++) await runCycle(drivers, first + i);
  };
  await measure((drivers) => cycles(0, drivers));
  const total = await measure((drivers) => cycles(COUNTED, drivers));
  const each = Object.entries(total).map(([key, count]) => [key, count / COUNTED] as const);
  return Object.fromEntries(each) as unknown as Taken;
}

/** Interleaved, so that what else the machine does meets all of them. */
async function runAll(
  code: Code,
  stores: readonly Store[],
  runs: number,
  seconds: number,
): Promise<ReadonlyMap<Store, Run[]>> {
  const results = new Map<Store, Run[]>(stores.map((store) => [store, []]));
  // Node compiles what runs often, and begins to when it has run for a while.
  for (const store of stores) await runFor(code, store, seconds);
  const pieces = Array.from({ length: runs }, () => stores).flat();
  const progress = createProgress(
    pieces.map(({ name }) => name),
    (line) => process.stderr.write(line),
  );
  for (const store of pieces) {
    progress.begin(store.name);
    results.get(store)?.push(await runFor(code, store, seconds));
    progress.end();
  }
  return results;
}

let nextCycle = 0;

async function runFor(code: Code, { drivers, usedSeconds }: Store, seconds: number): Promise<Run> {
  const serverBefore = await usedSeconds?.();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  let cycles = 0;
  let broken = 0;
  const client = async () => {
    while (performance.now() < until) {
      if (await isCycled(code, drivers)) cycles += 1;
      else broken += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    cyclesPerSecond: cycles / elapsedSeconds,
    cpuMicroseconds: (user + system) / Math.max(1, cycles),
    serverMicroseconds: serverBefore && ((((await usedSeconds?.()) ?? 0) - serverBefore) * 1e6) / Math.max(1, cycles),
    broken,
    load: loadavg()[0] ?? Number.NaN,
  };
}

/** False where the store couldn't: an emulator keeps some waiting for too long when many ask at once. */
async function isCycled({ runCycle, isUnavailable }: Code, drivers: Store["drivers"]): Promise<boolean> {
  try {
    await runCycle(drivers, nextCycle++);
    return true;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return false;
  }
}

/** In a server that has nothing else: what expires meanwhile would be taken off. */
async function measureKept(code: Code): Promise<Kept> {
  const { drivers, usedBytes, close } = await openRedis(code);
  try {
    const empty = await usedBytes();
    const clients = [];
    for (let i = 0; i < KEPT; i++) clients.push(await code.arrive(drivers, i));
    const withClients = await usedBytes();
    for (const [i, client] of clients.entries()) await code.publish(drivers, client, roomOf(i, 0));
    const withMessages = await usedBytes();
    return {
      connectionBytes: (withClients - empty) / KEPT,
      connectionHours: CONNECTION_HOURS,
      messageBytes: (withMessages - withClients) / KEPT,
      messageHours: MESSAGE_HOURS,
    };
  } finally {
    await close();
  }
}
