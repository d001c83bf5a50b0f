import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { spawnChild } from "./children.ts";
import { type ProcessUsage, readProcessUsage } from "./process-usage.ts";

const START_TIMEOUT_MS = 60_000;
const HOST = new URL("../../local/src/cli.ts", import.meta.url);
/** Makes that {@link ServerProcess.collect} works. */
const REPORTING = ["--expose-gc", "--import", new URL("./memory-reporter.ts", import.meta.url).href];

/** A server that is measured, in a process of its own. */
export interface ServerProcess {
  /** Such as `ws://127.0.0.1:40001/message-topic`. */
  readonly url: string;
  usage(): ProcessUsage | undefined;
  /** Has it let go of the memory that it doesn't need, and resolves with the bytes that it has left; undefined where it can't be told to. */
  collect(): Promise<number | undefined>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Behind the command. */
  readonly parameters?: readonly string[];
  /** Over this process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where a CPU profile of it is written to; none where absent. */
  readonly profileFolder?: string;
  /** Whether it can be told to collect its garbage, where it is of Node. */
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
    parameters: [...profiling, "--import", "tsx", ...(collects ? REPORTING : []), fileURLToPath(script), ...parameters],
    environment: { ...process.env, ...environment },
    speaksTo: "stdout",
    urlIn: (line) => (script === HOST ? /ws:\S+\/message-topic/ : /ws:\S+/).exec(line)?.[0],
    collects,
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
  /** Whether it is a Node with the memory reporter in it. */
  readonly collects?: boolean;
}

/** Resolves when it has said its address. Rejects, with what it said, where it ends before. */
export async function startProcess(options: ProcessOptions): Promise<ServerProcess> {
  const { command, parameters, environment, speaksTo, collects = false } = options;
  const child = spawnChild(command, parameters, {
    stdio: [
      ...(speaksTo === "stdout" ? (["ignore", "pipe", "inherit"] as const) : (["ignore", "ignore", "pipe"] as const)),
      ...(collects ? (["ipc"] as const) : []),
    ],
    env: environment,
  });
  const exited = once(child, "exit");
  const url = await addressOf(child, options);
  const { pid = 0 } = child;
  return {
    url,
    usage: () => readProcessUsage(pid),
    async collect() {
      if (!collects) return undefined;
      const answer = once(child, "message");
      child.send("collect");
      const [bytes] = await answer;
      return bytes;
    },
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
