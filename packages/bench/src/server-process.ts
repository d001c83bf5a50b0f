import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ProcessUsage, readProcessUsage } from "./process-usage.ts";

const NAIVE = "./naive-server.ts";
const START_TIMEOUT_MS = 60_000;

/** A server that is measured, in a process of its own. */
export interface ServerProcess {
  /** Such as `ws://127.0.0.1:40001/message-topic`. */
  readonly topicUrl: string;
  usage(): ProcessUsage | undefined;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Behind the command. */
  readonly parameters?: readonly string[];
  /** Over this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where a CPU profile of it is written to; none where absent. */
  readonly profileFolder?: string;
}

/** Starts the local host as `npm start` does, on a free port. */
export function startHostProcess(options: ServerOptions = {}): Promise<ServerProcess> {
  return start("../../local/src/cli.ts", { ...options, parameters: ["--port", "0", ...(options.parameters ?? [])] });
}

/** Starts a server that uses `ws` naively. */
export function startNaiveServer(options: ServerOptions = {}): Promise<ServerProcess> {
  return start(NAIVE, options);
}

async function start(
  script: string,
  { parameters = [], environment, profileFolder }: ServerOptions,
): Promise<ServerProcess> {
  const profiling = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [...profiling, "--import", "tsx", file, ...parameters], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  const exited = once(child, "exit");
  const timer = setTimeout(() => child.kill(), START_TIMEOUT_MS);
  for await (const line of createInterface(child.stdout)) {
    const topicUrl = /ws:\/\/\S+\/message-topic/.exec(line)?.[0];
    if (topicUrl === undefined) continue;
    clearTimeout(timer);
    child.stdout.resume();
    const stop = async () => {
      child.kill("SIGINT");
      await exited;
    };
    const { pid = 0 } = child;
    return { topicUrl, usage: () => readProcessUsage(pid), stop };
  }
  throw new Error(`${script} did not start.`);
}
