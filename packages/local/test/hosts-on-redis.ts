import { join } from "node:path";
import { type Host, type HostOptions, startHost } from "../src/index.ts";

const SERVICES = join(__dirname, "../../../services");

/** Starts this repository's services on a free port, with what is kept in a Redis. */
export function startOnRedis(REDIS_URL: string, options: Partial<HostOptions> = {}): Promise<Host> {
  const services = ["message-broadcast", "message-topic"].map((name) => join(SERVICES, name));
  const environment = { STORE: "redis", REDIS_URL, POWERTOOLS_LOG_LEVEL: "SILENT", ...options.environment };
  return startHost({ log: () => {}, ...options, services, port: 0, environment });
}

/** A service's WebSocket API. */
export function webSocketUrl({ port }: Pick<Host, "port">, service: "message-broadcast" | "message-topic"): string {
  return `ws://127.0.0.1:${port}/${service}`;
}
