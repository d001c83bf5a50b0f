import { createSoakClient, type SoakClient } from "./client.ts";
import type { Ledger } from "./ledger.ts";
import type { SoakPlan } from "./plan.ts";

/** What has happened to clients. */
export interface Churn {
  readonly cuts: number;
  readonly pauses: number;
  readonly replacements: number;
}

/** All subscribers of a soak, who come and go. */
export interface Population {
  readonly topics: readonly string[];
  readonly churn: Churn;
  /** Lets as many come and go as belong to so many seconds. */
  move(seconds: number): void;
  /** Clients that lack something. */
  incomplete(): number;
  close(): void;
}

/** Clients that come at a time, and the pause behind them: a service is not met by all at once. */
const COMING_AT_ONCE = 50;
const COMING_PAUSE_MS = 50;

/** Resolves when all have come and subscribed. */
export async function createPopulation(url: string, plan: SoakPlan, ledger: Ledger): Promise<Population> {
  const topics: string[] = [];
  const clients: SoakClient[] = [];
  for (const [group, { topics: count, subscribersOfEach }] of plan.groups.entries()) {
    for (let index = 0; index < count; index++) {
      const topic = `soak/${group}/${index}`;
      topics.push(topic);
      for (let at = 0; at < subscribersOfEach; at++) {
        clients.push(createSoakClient(url, topic, ledger));
        if (clients.length % COMING_AT_ONCE === 0) await pause(COMING_PAUSE_MS);
      }
    }
  }
  while (clients.some((client) => !client.isComplete())) await pause(COMING_PAUSE_MS);

  const churn = { cuts: 0, pauses: 0, replacements: 0 };
  /** Fractions of moves that are due. */
  const due = { cuts: 0, pauses: 0, replacements: 0 };
  const chosen = () => Math.floor(Math.random() * clients.length);
  const moves = {
    cuts: () => clients[chosen()]?.cut(),
    pauses: () => clients[chosen()]?.pause(),
    replacements() {
      const index = chosen();
      const { topic, close } = clients[index] as SoakClient;
      close();
      clients[index] = createSoakClient(url, topic, ledger);
    },
  };
  const rates = { cuts: plan.cutsPerSecond, pauses: plan.pausesPerSecond, replacements: plan.replacementsPerSecond };

  return {
    topics,
    churn,
    move(seconds) {
      for (const kind of ["cuts", "pauses", "replacements"] as const) {
        for (due[kind] += rates[kind] * seconds; due[kind] >= 1; due[kind]--) {
          moves[kind]();
          churn[kind] += 1;
        }
      }
    },
    incomplete: () => clients.filter((client) => !client.isComplete()).length,
    close() {
      for (const client of clients) client.close();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
