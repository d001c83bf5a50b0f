import { type ChildProcess, fork, type SpawnOptions, spawn } from "node:child_process";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const EXIT_CODE = 130;

const running = new Set<ChildProcess>();

/** Runs a file in a process of its own, with a channel for messages. */
export function forkChild(file: string): ChildProcess {
  return track(fork(file, { execArgv: ["--import", "tsx"] }));
}

/** Like {@link spawn}, of a process that ends with this one. */
export function spawnChild(command: string, parameters: readonly string[], options: SpawnOptions): ChildProcess {
  return track(spawn(command, parameters, options));
}

function track(child: ChildProcess): ChildProcess {
  if (running.size === 0) for (const signal of SIGNALS) process.on(signal, stopAll);
  running.add(child);
  child.once("close", () => {
    running.delete(child);
    if (running.size === 0) for (const signal of SIGNALS) process.off(signal, stopAll);
  });
  return child;
}

/** Leaves nobody behind: whoever has them waits for nothing any more. */
function stopAll(): void {
  for (const child of running) child.kill("SIGKILL");
  process.exit(EXIT_CODE);
}
