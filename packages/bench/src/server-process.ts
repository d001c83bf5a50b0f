import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { spawnChild } from "./children.ts";
import { type ProcessUsage, readProcessUsage } from "./process-usage.ts";

const START_TIMEOUT_MS = 60_000;
const HOST = new URL("../../local/src/cli.ts", import.meta.url);
/** Adds that {@link ServerProcess.collect} works. */
const COLLECTING = ["--expose-gc", "--import", fileURLToPath(new URL("./collect-on-signal.ts", import.meta.url))];

/** A server that is measured, in a process of its own. */
export interface ServerProcess {
  /** Such as `ws://127.0.0.1:40001/message-topic`. */
  readonly url: string;
  usage(): ProcessUsage | undefined;
  /** Has it let go of the memory that it doesn't need, where it can be told to. */
  collect(): void;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Behind the command. */
  readonly parameters?: readonly string[];
  /** Over this process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where a CPU profile of it is written to; none where absent. */
  readonly profileFolder?: string;
  /** Whether it lets itself be told to collect garbage, where it is of Node. */
  readonly collects?: boolean;
}

/** Starts the local host as `npm start` does, on a free port. */
export function startHostProcess(options: ServerOptions = {}): Promise<ServerProcess> {
  return startNodeServer(HOST, { ...options, parameters: ["--port", "0", ...(options.parameters ?? [])] });
}

/** Starts a file that prints its address. */
export function startNodeServer(script: URL, options: ServerOptions = {}): Promise<ServerProcess> {
  const { parameters = [], environment, profileFolder, collects = false } = options;
  const profiling = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  return startProcess({
    command: process.execPath,
    parameters: [
      ...profiling,
      "--import",
      "tsx",
      ...(collects ? COLLECTING : []),
      fileURLToPath(script),
      ...parameters,
    ],
    environment: { ...process.env, ...environment },
    speaksTo: "stdout",
    urlIn: (line) => (script === HOST ? /ws:\S+\/message-topic/ : /ws:\S+/).exec(line)?.[0],
    ...(collects && { collectSignal: "SIGUSR2" }),
  });
}

export interface ProcessOptions {
  readonly command: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where it says that it's ready; the other is passed on where it is stderr. */
  readonly speaksTo: "stdout" | "stderr";
  /** The address that a line means, undefined where it means none. */
  readonly urlIn: (line: string) => string | undefined;
  readonly collectSignal?: NodeJS.Signals;
}

/** Resolves when it has said its address. Rejects, with what it said, where it ends before. */
export async function startProcess(options: ProcessOptions): Promise<ServerProcess> {
  const { command, parameters, environment, speaksTo, collectSignal } = options;
  const child = spawnChild(command, parameters, {
    stdio: speaksTo === "stdout" ? ["ignore", "pipe", "inherit"] : ["ignore", "ignore", "pipe"],
    env: environment,
  });
  const exited = once(child, "exit");
  const url = await addressOf(child, options);
  const { pid = 0 } = child;
  return {
    url,
    usage: () => readProcessUsage(pid),
    collect: () => void (collectSignal !== undefined && child.kill(collectSignal)),
    async stop() {
      child.kill("SIGINT");
      await exited;
    },
  };
}

/** Reads on for as long as the process runs: a full pipe would hold it up. */
function addressOf(child: ChildProcess, { command, speaksTo, urlIn }: ProcessOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill(), START_TIMEOUT_MS);
    const said: string[] = [];
    const lines = createInterface(child[speaksTo] as Readable);
    lines.on("line", function read(line) {
      said.push(line);
      const url = urlIn(line);
      if (url === undefined) return;
      clearTimeout(timer);
      lines.off("line", read);
      resolve(url);
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${command} did not start: ${said.join("; ")}`)));
  });
}
