import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";

const ROOT = join(__dirname, "../../..");

export interface ApplicationAccess {
  readonly app: string;
  readonly keyId: string;
  readonly secret: string;
  /** The whole key. */
  readonly key: string;
}

/** `npm start -- --auth`, in a process of its own, so that all that it prints can be read. */
export interface ClosedHost {
  readonly port: number;
  /** Of the application `default`. */
  readonly access: ApplicationAccess;
  readonly operatorKey: string;
  http(path: string): string;
  ws(path: string): string;
  /** All that it printed so far. */
  printed(): string;
  stop(): Promise<void>;
}

export function accessOf(key: string): ApplicationAccess {
  const [, app = "", keyId = "", secret = ""] = /^([^.]+)\.([^:]+):(.+)$/.exec(key) ?? [];
  return { app, keyId, secret, key };
}

/** In hex: what tokens are signed with. */
export function signingKeyOf(secret: string): string {
  return createHash("sha256").update(`token.${secret}`).digest("hex");
}

const randomSecret = () => randomBytes(32).toString("base64url");

export async function startClosedHost(parameters: string[], env: Record<string, string> = {}): Promise<ClosedHost> {
  const access = accessOf(`default.k1:${randomSecret()}`);
  const operatorKey = randomSecret();
  const command = ["--import", "tsx", "packages/local/src/cli.ts", "--auth", "--port", "0", ...parameters];
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      TOPICAST_KEY: access.key,
      TOPICAST_OPERATOR_KEY: operatorKey,
      POWERTOOLS_LOG_LEVEL: "DEBUG",
      ...env,
    },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      printed += data;
    });
  }
  const closed = once(child, "close");
  while (!printed.includes("Ctrl-C")) {
    await Promise.race([once(child.stdout, "data"), closed]);
    if (child.exitCode !== null) throw new Error(`The host ended early: ${printed}`);
  }
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(printed)?.[1]);
  return {
    port,
    access,
    operatorKey,
    http: (path) => `http://127.0.0.1:${port}/${path}`,
    ws: (path) => `ws://127.0.0.1:${port}/${path}`,
    printed: () => printed,
    async stop() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}
