import { on } from "node:events";
import { fileURLToPath } from "node:url";
import { forkChild } from "../children.ts";
import { type ServerProcess, startHostProcess } from "../server-process.ts";
import type { SoakAnswer, SoakOrder, SoakTotals } from "./orders.ts";
import type { SoakPlan } from "./plan.ts";

const PROCESS = fileURLToPath(new URL("./process.ts", import.meta.url));

export interface SoakOptions {
  readonly plan: SoakPlan;
  readonly seconds: number;
  /** How often the host's memory is looked at. */
  readonly sampleSeconds: number;
  readonly onSample: (sample: SoakSample) => void;
}

export interface SoakSample {
  /** Of the host, once its garbage is collected. */
  readonly heapBytes: number;
  /** Undefined where the system doesn't tell. */
  readonly residentBytes: number | undefined;
  readonly totals: SoakTotals;
}

export interface SoakResult {
  /** When nothing more was published. */
  readonly ended: SoakTotals;
  /** When everything had come, or was given up. */
  readonly complete: SoakTotals;
  /** The last one is of when nothing more was published. */
  readonly samples: readonly SoakSample[];
}

/** Runs clients that come and go on a host of their own. Rejects where a publish is refused, never because something is lost. */
export async function runSoak({ plan, seconds, sampleSeconds, onSample }: SoakOptions): Promise<SoakResult> {
  const host = await startHostProcess({ collects: true });
  const clients = forkChild(PROCESS);
  const samples: SoakSample[] = [];
  let ended: SoakTotals | undefined;
  try {
    const answers = on(clients, "message", { close: ["exit"] });
    clients.send({ url: host.url, plan, seconds } satisfies SoakOrder);
    for await (const [answer] of answers as AsyncIterable<[SoakAnswer]>) {
      if (answer.type === "failed") throw new Error(answer.message);
      const { type, totals } = answer;
      if (type === "complete" && ended !== undefined) return { ended, complete: totals, samples };
      if (type === "ended") ended = totals;
      const sampledAt = samples.at(-1)?.totals.seconds ?? 0;
      if (type === "progress" && totals.seconds < sampledAt + sampleSeconds) continue;
      samples.push({ ...(await memoryOf(host)), totals });
      onSample(samples.at(-1) as SoakSample);
    }
    throw new Error("The process of the clients ended.");
  } finally {
    clients.kill();
    await host.stop();
  }
}

async function memoryOf(host: ServerProcess): Promise<Omit<SoakSample, "totals">> {
  const heapBytes = await host.collect();
  if (heapBytes === undefined) throw new Error("The host didn't tell its memory.");
  return { heapBytes, residentBytes: host.usage()?.residentBytes };
}
