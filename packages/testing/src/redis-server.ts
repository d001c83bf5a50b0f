import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findOrInstall } from "./installed-program.ts";

const REDIS_SERVER = {
  names: ["redis-server", "valkey-server"],
  debianPackage: "redis-server",
  how: "no redis-server is here: install one (Debian and Ubuntu: apt-get install redis-server), or name one that runs in REDIS_URL",
};

/** A port that was free may be taken by the time that the server wants it. */
const PORTS_TRIED = 10;

/** In a cluster the nodes talk to each other on a port that is higher by this. */
const BUS_OFFSET = 10_000;

export interface RedisServerOptions {
  readonly password?: string;
  /** Whether each write is on disk before it is answered, so that a killed server has all of them when it starts again. */
  readonly appendOnly?: boolean;
  /** Has it speak TLS, and nothing else. */
  readonly tls?: CertificateFiles;
  /** Further settings, as `redis-server`'s arguments. */
  readonly settings?: readonly string[];
}

/** Names of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A server of a test's own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Ends its process at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on its port, with what it had on disk. */
  start(): Promise<void>;
  /** Its process does nothing until it may again: connections are neither answered nor closed. */
  pause(): void;
  resume(): void;
  /** Ends it and deletes what it had. */
  stop(): Promise<void>;
}

/** A server to keep things in, which others may use at the same time: each must have keys of its own, by {@link aKeyPrefix}. */
export interface SharedRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/** That of `REDIS_URL`, or else one of its own. */
export async function startRedis(): Promise<SharedRedis> {
  const url = process.env.REDIS_URL;
  return url ? { url, stop: async () => {} } : startRedisServer();
}

/** Keys with it are nobody else's. */
export function aKeyPrefix(): string {
  return `test-${randomUUID()}:`;
}

/** A server on a free port of this machine alone, empty, that ends with this process at the latest. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "topicast-redis-"));
  const { port, process: first } = await startOnFreePort(folder, options);
  let current = first;

  async function kill(): Promise<void> {
    if (current.exitCode !== null || current.signalCode !== null) return;
    const ended = once(current, "exit");
    current.kill("SIGKILL");
    await ended;
  }

  return {
    url: `redis${options.tls === undefined ? "" : "s"}://${options.password === undefined ? "" : `:${options.password}@`}127.0.0.1:${port}`,
    port,
    kill,
    async start() {
      current = await startProcess(port, folder, options);
    },
    pause: () => void current.kill("SIGSTOP"),
    resume: () => void current.kill("SIGCONT"),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startOnFreePort(folder: string, options: RedisServerOptions) {
  for (let left = PORTS_TRIED - 1; ; left -= 1) {
    const port = await findFreePort();
    try {
      return { port, process: await startProcess(port, folder, options) };
    } catch (error) {
      if (left === 0 || !String(error).includes("in use")) throw error;
    }
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port + BUS_OFFSET > 65_535 ? findFreePort() : port;
}

/** Resolves when it takes commands. */
async function startProcess(port: number, folder: string, options: RedisServerOptions): Promise<ChildProcess> {
  const { password, appendOnly = false, tls, settings = [] } = options;
  const args = [
    ...["--bind", "127.0.0.1", "--port", String(tls === undefined ? port : 0), "--dir", folder, "--save", ""],
    ...(tls === undefined ? [] : tlsSettings(port, tls)),
    ...["--appendonly", appendOnly ? "yes" : "no", "--appendfsync", "always"],
    ...(password === undefined ? [] : ["--requirepass", password]),
    ...settings,
  ];
  const server = spawn(findOrInstall(REDIS_SERVER), args, { stdio: ["ignore", "pipe", "inherit"] });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const hint = tls === undefined ? "" : "; it may have been made without TLS, which that of Debian and Ubuntu has";
    server.once("exit", () => reject(new Error(`redis-server ended${hint}:\n${said.join("\n")}`)));
    createInterface({ input: server.stdout }).on("line", (line) => {
      if (line.includes("Ready to accept connections")) resolve();
      // What it says of its start tells why there was none.
      if (said.length < 50) said.push(line);
    });
  });
  endWithThisProcess(server);
  return server;
}

function tlsSettings(port: number, { certificate, key }: CertificateFiles): string[] {
  return [
    ...["--tls-port", String(port), "--tls-cert-file", certificate, "--tls-key-file", key],
    ...["--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"],
  ];
}

/** A test that is killed has no chance to end it: a shell waits for the end of what this process never writes. */
function endWithThisProcess(server: ChildProcess): void {
  const watcher = spawn("sh", ["-c", 'read -r _; kill -9 "$1"', "sh", String(server.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  server.once("exit", () => watcher.kill("SIGKILL"));
}
