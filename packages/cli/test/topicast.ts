import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach } from "@jest/globals";

/** As `npm ci` links it for `npx topicast`. */
export const TOPICAST = join(__dirname, "../../../node_modules/.bin/topicast");

export interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves when stderr holds a text. */
  noted(text: string): Promise<void>;
  /** Resolves when stdout holds so many lines. */
  printed(lines: number): Promise<void>;
  readonly exit: Promise<Exit>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: nothing, and its end. */
  readonly stdin?: string | "open";
  /** Instead of the command itself. */
  readonly shell?: string;
}

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

/** Runs the command as a user does: from any folder, with nothing in the environment but what is given. */
export function start(args: readonly string[], { env = {}, stdin = "", shell }: RunOptions = {}): Running {
  const [command, parameters] = shell === undefined ? [TOPICAST, args] : ["bash", ["-c", shell]];
  const child = spawn(command, parameters, { cwd: tmpdir(), env: { PATH: process.env.PATH, ...env } });
  running.add(child);
  if (stdin !== "open") child.stdin.end(stdin);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const exit = once(child, "close").then(([code]) => {
    running.delete(child);
    return { code, stdout, stderr };
  });

  async function when(stream: Readable, isThere: () => boolean): Promise<void> {
    const ended = exit.then(() => {
      if (!isThere()) throw new Error(`It ended before: ${stdout}${stderr}`);
    });
    while (!isThere()) await Promise.race([once(stream, "data"), ended]);
  }
  return {
    child,
    exit,
    noted: (text) => when(child.stderr, () => stderr.includes(text)),
    printed: (lines) => when(child.stdout, () => stdout.split("\n").length > lines),
  };
}

export function run(args: readonly string[], options: RunOptions = {}): Promise<Exit> {
  return start(args, options).exit;
}

/** The lines of an output, parsed. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
