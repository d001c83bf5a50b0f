import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type AppId, mintToken } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import { type Host, startHost } from "@topicast/local";
import type { JsonObject } from "@topicast/protocol";
import { aKnownKey, anApplication, connectRawClient, type RawClient } from "@topicast/testing";

const SERVICES = ["message-topic", "message-broadcast", "applications"];
const OPERATOR_KEY = "operator-key-of-these-tests-0123456";
const ENCRYPTION_KEY = "an encryption key of 32 characters";
export const ALLOWED_ORIGIN = "https://game.example";

/** What fails, and how. */
export interface Failure {
  readonly port: Exclude<keyof EmbeddedPorts, "address">;
  readonly error: Error;
}

export interface ConnectOptions {
  readonly query?: string;
  readonly cap?: JsonObject;
  /** Default: alice. */
  readonly user?: string;
}

export interface ContractHost extends Omit<Host, "keys"> {
  /** Of an application with all rights, one of it that may do nothing, and the operator's. */
  readonly keys: { readonly application: string; readonly idle: string; readonly operator: string };
  /** What the application's data is kept under. */
  readonly app: AppId;
  /** Every call of a port fails while `act` runs. */
  whileFailing<T>(failure: Failure, act: () => Promise<T>): Promise<T>;
  /** Lets so much time pass for the services, at once. */
  skip(ms: number): void;
  /** A client of `service` with a token of these capabilities. */
  connect(service: string, options?: ConnectOptions): Promise<RawClient>;
}

export const TOKEN_LIFE_MS = 10 * 60_000;
const EVERYTHING = { "*": ["subscribe", "publish", "history"] };

/** All services on one host with closed doors. */
export async function startContractHost(environment: Readonly<Record<string, string>> = {}): Promise<ContractHost> {
  let failure: Failure | undefined;
  let skippedMs = 0;
  const host = await startHost({
    services: SERVICES.map((name) => fileURLToPath(new URL(`../../../services/${name}`, import.meta.url))),
    port: 0,
    environment: {
      POWERTOOLS_LOG_LEVEL: "SILENT",
      OPEN: "",
      ENCRYPTION_KEY,
      OPERATOR_KEY_HASH: createHash("sha256").update(OPERATOR_KEY).digest("hex"),
      ALLOWED_ORIGINS: ALLOWED_ORIGIN,
      ...environment,
    },
    clock: {
      now: () => Date.now() + skippedMs,
      sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref()),
    },
    ports: (ports) => failingPorts(ports, () => failure),
  });
  const full = aKnownKey({ app: "game", encryptionKey: ENCRYPTION_KEY });
  const idle = aKnownKey({ app: "game", keyId: "k2", encryptionKey: ENCRYPTION_KEY }, { grants: [] });
  const application = anApplication({ name: "game", keys: [full.stored, idle.stored] });
  await host.ports("message-topic").apps.create(application);
  return {
    ...host,
    app: application.id,
    keys: { application: full.key, idle: idle.key, operator: OPERATOR_KEY },
    async whileFailing(next, act) {
      failure = next;
      try {
        return await act();
      } finally {
        failure = undefined;
      }
    },
    skip(ms) {
      skippedMs += ms;
    },
    async connect(service, { query = "", cap = EVERYTHING, user = "alice" } = {}) {
      const now = () => Date.now() + skippedMs;
      const token = await mintToken({ key: full.key, sub: user, cap, lifetimeMs: TOKEN_LIFE_MS, clock: { now } });
      if (!token.ok) throw new Error(token.fault.message);
      const headers = { authorization: `Bearer ${token.value}` };
      return connectRawClient(`ws://127.0.0.1:${host.port}/${service}${query}`, { headers });
    },
  };
}

function failingPorts(ports: EmbeddedPorts, failure: () => Failure | undefined): EmbeddedPorts {
  const { address, ...rest } = ports;
  const wrapped = Object.entries(rest).map(([name, port]) => [
    name,
    new Proxy(port, {
      get(target, method, receiver) {
        const call = Reflect.get(target, method, receiver);
        if (typeof call !== "function") return call;
        return (...input: unknown[]) => {
          const now = failure();
          return now?.port === name ? Promise.reject(now.error) : call.apply(target, input);
        };
      },
    }),
  ]);
  return { ...Object.fromEntries(wrapped), address } as EmbeddedPorts;
}
