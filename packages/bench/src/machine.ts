import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { BenchError } from "./bench-error.ts";
import type { Contestant } from "./contestants/index.ts";

/** Half of the smallest machine that has a core for the server and one for the load generator. */
const BUSY_LOAD = 1;
/** Connections of a server and of the load generator are files; both have some more. */
const OTHER_FILES = 100;

/** A sentence about where something was measured, without the machine's name. */
export function describeMachine(): string {
  const [{ model } = { model: "unknown" }] = cpus();
  const gib = Math.round(totalmem() / 1_024 ** 3);
  return `${cpus().length} cores (${model.trim()}), ${gib} GiB, ${platform()} ${release()} on ${arch()}, Node ${process.versions.node}`;
}

/** What to say before measuring where others use the machine, `load` of its cores on average; undefined where they don't. */
export function describeLoad([load = 0] = loadavg()): string | undefined {
  if (load < BUSY_LOAD) return undefined;
  return `The machine was busy with other things before this began (a load of ${load.toFixed(1)}): these figures say little.`;
}

/** The contestants and their versions. */
export function describeContestants(contestants: readonly Contestant[]): string {
  return contestants.map(({ name, version }) => `${name} (${version()})`).join(", ");
}

/** Throws a {@link BenchError}, with what to do, where a process may not hold so many connections. */
export function requireOpenFiles(connections: number, openFilesMax = openFilesMaxHere): void {
  const needed = connections + OTHER_FILES;
  const allowed = openFilesMax();
  if (allowed === undefined || allowed >= needed) return;
  throw new BenchError(
    `${connections} connections need ${needed} open files for each process, and this shell allows ${allowed}. ` +
      `Raise it (\`ulimit -n ${needed}\`, as root \`ulimit -Hn ${needed}\` before), or leave the larger scenarios out with --only.`,
  );
}

/** The hard limit: Node raises its own to it. Undefined where there is none, or the system doesn't tell. */
function openFilesMaxHere(): number | undefined {
  let limits: string;
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // No Linux.
    return undefined;
  }
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  return hard === undefined ? undefined : Number(hard);
}
