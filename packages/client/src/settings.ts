import type { ConnectOptions } from "./types.ts";

// What browsers, Node, Bun, Deno and workers have in common.
declare const crypto: { getRandomValues(numbers: Uint32Array): Uint32Array };
declare function setTimeout(run: () => void, ms: number): number;
declare function clearTimeout(timer: number): void;

/** Options with their defaults. */
export type Settings = ConnectOptions & Required<Omit<ConnectOptions, "token" | "WebSocket" | "flushMs">>;

let pageSecret: string | undefined;

/** 160 bits by chance, as up to 50 digits. `randomUUID` isn't there on a page without TLS, such as those of a LAN. */
export function createSecret(): string {
  return crypto.getRandomValues(new Uint32Array(5)).join("");
}

export function settingsOf(options: ConnectOptions): Settings {
  pageSecret ??= createSecret();
  return {
    client: pageSecret,
    timeoutMs: 10_000,
    pingMs: 120_000,
    maxAgeMs: 7_000_000,
    queueMax: 1_000,
    random: Math.random,
    now: Date.now,
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    ...options,
  };
}
