import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const ROOT = join(__dirname, "../../..");

let running: ChildProcess[] = [];

/** Kills every command that a test left running. */
export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
  running = [];
}

export interface Cli {
  readonly child: ChildProcess;
  /** Resolves with all that was printed so far once it holds `text`, so many times. */
  printed(text: string, times?: number): Promise<string>;
  /** The same of what went to stderr. */
  complained(text: string): Promise<string>;
  readonly exited: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Runs the command as `npm start` does. */
export function runCli(parameters: string[], env: Record<string, string> = {}): Cli {
  const command = ["--import", "tsx", "packages/local/src/cli.ts", ...parameters];
  const child = spawn(process.execPath, command, { cwd: ROOT, env: { PATH: process.env.PATH, ...env } });
  running.push(child);
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (data) => {
      said[stream] += data;
    });
  }
  const ended = once(child, "close");

  async function waitFor(stream: "stdout" | "stderr", text: string, times = 1): Promise<string> {
    while (said[stream].split(text).length <= times) await Promise.race([once(child[stream], "data"), failOnExit()]);
    return said[stream];
  }

  async function failOnExit(): Promise<never> {
    await ended;
    throw new Error(`the command ended early: ${said.stderr}`);
  }

  return {
    child,
    printed: (text, times) => waitFor("stdout", text, times),
    complained: (text) => waitFor("stderr", text),
    exited: ended.then(([code]) => ({ code, ...said })),
  };
}

/** On which port it listens, once it does. */
export async function portOf(cli: Cli): Promise<number> {
  const output = await cli.printed("Ctrl-C");
  return Number(/127\.0\.0\.1:(\d+)/.exec(output)?.[1]);
}
