import { readFileSync } from "node:fs";

export interface ProcessUsage {
  /** Of user and system together, since it began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** `getconf CLK_TCK` is 100 wherever Linux runs. */
const TICKS_A_SECOND = 100;

/** What another process used; undefined where there is no `/proc`. */
export function readProcessUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the name, which may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const resident = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
      residentBytes: Number(resident) * 1_024,
    };
  } catch {
    // No Linux, or the process is gone.
    return undefined;
  }
}
