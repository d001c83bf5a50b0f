import { join } from "node:path";
import { type Host, type HostOptions, startHost } from "../src/index.ts";

export function fixture(name: string): string {
  return join(__dirname, "fixtures", name);
}

export interface FixtureHost extends Host {
  /** `ws://…/{service}` */
  webSocketUrl(service: string): string;
  /** What the host logged. */
  readonly lines: readonly string[];
}

/** Starts fixtures on a free port, their log kept. */
export async function startFixtures(
  names: readonly string[],
  options: Omit<HostOptions, "services" | "port"> = {},
): Promise<FixtureHost> {
  const lines: string[] = [];
  const host = await startHost({ log: (line) => lines.push(line), ...options, services: names.map(fixture), port: 0 });
  return { ...host, lines, webSocketUrl: (service) => `ws://127.0.0.1:${host.port}/${service}` };
}
