import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../local/src/cli.ts", import.meta.url));
const START_TIMEOUT_MS = 15_000;

export interface HostProcess {
  /** Such as `ws://127.0.0.1:40001/message-topic`. */
  readonly topicUrl: string;
  /** Seconds of a core that it has used; NaN where the system doesn't say (outside of Linux). */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

export interface HostProcessOptions {
  /** The key of the application `default` behind closed doors; without it doors are open. */
  readonly key?: string;
}

/** Starts the local host as `npm start` does, on a free port, in a process of its own. */
export async function startHostProcess({ key }: HostProcessOptions = {}): Promise<HostProcess> {
  const args = ["--import", "tsx", CLI, "--port", "0", ...(key === undefined ? [] : ["--auth"])];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...(key !== undefined && { TOPICAST_KEY: key }) },
    timeout: 0,
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
    return { topicUrl, cpuSeconds: () => cpuSecondsOf(child.pid), stop };
  }
  throw new Error("The host did not start.");
}

/** In `/proc/{pid}/stat`, in ticks of 10 ms, behind the name, which may hold anything up to its last parenthesis. */
async function cpuSecondsOf(pid: number | undefined): Promise<number> {
  try {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    // There is no such file on this system.
    return Number.NaN;
  }
}
