import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../local/src/cli.ts", import.meta.url));
const START_TIMEOUT_MS = 15_000;

export interface HostProcess {
  /** Such as `ws://127.0.0.1:40001/message-topic`. */
  readonly topicUrl: string;
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
    return { topicUrl, stop };
  }
  throw new Error("The host did not start.");
}
