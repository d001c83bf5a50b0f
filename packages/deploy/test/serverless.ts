import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
const BINARIES = join(REPOSITORY, "node_modules", ".bin");
const NEEDED = [
  "serverless-compose.yml",
  "package.json",
  "tsconfig.json",
  "tsconfig.base.json",
  "services",
  "packages/deploy",
];
const LEFT_OUT = /\/(node_modules|\.serverless|\.esbuild)$/;

/** A copy of what osls needs of the repository, so that runs don't get into each other's way. */
export interface Checkout {
  readonly folder: string;
  /** Runs osls in it as on a machine that is new: with an empty home, no credentials, and only this environment. */
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Run>;
  /** The same, in a service's folder and still running. */
  start(service: string, args: readonly string[], environment: Readonly<Record<string, string>>): Started;
  remove(): Promise<void>;
}

export interface Run {
  readonly status: number | null;
  /** What it wrote, to both. */
  readonly output: string;
}

export interface Started {
  /** Resolves when the output has this text; rejects where the process ends before. */
  wrote(text: string): Promise<void>;
  stop(): Promise<void>;
}

export async function createCheckout(): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), "topicast-deploy-"));
  const home = join(folder, ".home");
  await mkdir(home);
  for (const name of NEEDED) {
    const filter = (path: string) => !LEFT_OUT.test(path);
    await cp(join(REPOSITORY, name), join(folder, name), { recursive: true, filter });
  }
  await symlink(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));

  function launch(cwd: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    // compose looks for `serverless` on the PATH, where npm's scripts and npx put it.
    const PATH = [BINARIES, process.env.PATH].join(delimiter);
    const env = { PATH, HOME: home, SLS_NOTIFICATIONS_MODE: "off", ...environment };
    return follow(spawn(join(BINARIES, "serverless"), args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  return {
    folder,
    run: (args, environment = {}) => launch(folder, args, environment).ended,
    start: (service, args, environment) => launch(join(folder, "services", service), args, environment),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function follow(child: ReturnType<typeof spawn>) {
  let output = "";
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const watch of watchers) watch();
    });
  }
  const ended = new Promise<Run>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, output }));
  });
  return {
    ended,
    wrote: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const watch = () => output.includes(text) && resolve();
        watchers.add(watch);
        watch();
        ended.then(() => reject(new Error(`It ended without "${text}":\n${output}`)), reject);
      }),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
