import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { Script } from "node:vm";
import { EMBEDDED_PORTS, type EmbeddedPorts } from "@topicast/core/embedded";
import { build, type Plugin } from "esbuild";
import { type OpenStores, openMemoryStores } from "./stores.ts";
import type * as Entry from "./system-entry.ts";

const ROOT = resolve(__dirname, "../../../..");

/** A change of the source on its way into the bundle. */
export interface Patch {
  /** From the repository's root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** There are no applications: doors are open. */
export type PortName = Exclude<keyof EmbeddedPorts, "address" | "clock" | "apps">;
export type FunctionName = Exclude<keyof typeof Entry, `create${string}` | "connectRedis">;

/** What stands behind the ports of an environment while an invocation runs in it. */
export interface Platform {
  now(): number;
  sleep(ms: number): Promise<void>;
  call(port: PortName, method: string, args: readonly unknown[]): Promise<unknown>;
}

/** The evaluated bundle, as a warm Lambda has it. It takes one invocation at a time. */
export interface Environment {
  readonly exports: typeof Entry;
  platform: Platform | undefined;
}

export interface System {
  /** An idle environment, new where there is none. */
  take(): Environment;
  /** It may be taken again. */
  giveBack(environment: Environment): void;
  readonly openStores: OpenStores;
}

/** Small bounds, so that pages, cursors and the queue all occur with a handful of clients. */
const VARIABLES = {
  STORE: "memory",
  OPEN: "yes",
  MESSAGES_PER_SECOND_MAX: "1000000",
  FANOUT_INLINE_MAX: "2",
  FANOUT_SHARD_MAX: "1",
  FANOUT_PAGE_SIZE: "2",
  FANOUT_ATTEMPTS_MAX: "6",
  POWERTOOLS_LOG_LEVEL: "SILENT",
};

export interface SystemOptions {
  /** Change the service. */
  readonly patches?: readonly Patch[];
  /** By default in memory. */
  readonly openStores?: OpenStores;
}

/** Bundles the service. `topicRules`: as `TOPIC_RULES` has them. */
export async function loadSystem(
  topicRules: string,
  { patches = [], openStores = openMemoryStores }: SystemOptions = {},
): Promise<System> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(__dirname, "system-entry.ts")],
    write: false,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    mainFields: ["module", "main"],
    external: ["@aws-sdk/*", "@smithy/*", "ioredis"],
    logLevel: "silent",
    plugins: [patching(patches)],
  });
  // A script, of which V8 keeps what it has compiled for the environments to come.
  const script = new Script(`(function (module, exports, require, process) {${outputFiles[0]!.text}\n})`);
  const nodeRequire = createRequire(join(ROOT, "package.json"));
  // Nothing of the SDK is used where everything is kept in memory.
  const requireNode = (name: string) => (name.startsWith("@") ? {} : nodeRequire(name));
  const idle: Environment[] = [];

  function evaluate(): Environment {
    const module = { exports: {} as typeof Entry };
    const environment: Environment = { exports: module.exports, platform: undefined };
    const env = { ...VARIABLES, TOPIC_RULES: topicRules };
    const ports = portsOf(() => environment.platform!);
    script.runInThisContext()(
      module,
      module.exports,
      requireNode,
      Object.create(process, { env: { value: env }, [EMBEDDED_PORTS]: { value: ports } }),
    );
    return Object.assign(environment, { exports: module.exports });
  }

  return { take: () => idle.pop() ?? evaluate(), giveBack: (environment) => idle.push(environment), openStores };
}

function portsOf(platform: () => Platform): EmbeddedPorts {
  const port = (name: PortName) =>
    new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          (...args: unknown[]) =>
            platform().call(name, method, args),
      },
    );
  return {
    address: "local",
    clock: { now: () => platform().now(), sleep: (ms: number) => platform().sleep(ms) },
    connections: port("connections"),
    log: port("log"),
    queue: port("queue"),
    gateway: port("gateway"),
  } as EmbeddedPorts;
}

function patching(patches: readonly Patch[]): Plugin {
  const left = new Set(patches.map(({ file }) => join(ROOT, file)));
  return {
    name: "patching",
    setup({ onLoad, onEnd }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!left.delete(path)) return undefined;
        const source = await readFile(path, "utf8");
        const wanted = patches.filter(({ file }) => join(ROOT, file) === path);
        return { contents: wanted.reduce(applyPatch, source), loader: "ts" };
      });
      onEnd(() => {
        if (left.size > 0)
          throw new Error(`A patch is for a file that the service doesn't have: ${[...left].join(", ")}`);
      });
    },
  };
}

function applyPatch(source: string, { file, find, replace }: Patch): string {
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`A patch looks for this in ${file} and finds it ${count} times: ${find}`);
  return source.replace(find, () => replace);
}
