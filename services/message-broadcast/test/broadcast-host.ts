import { fileURLToPath } from "node:url";
import { type Host, type HostOptions, startHost } from "@topicast/local";

const SERVICE = fileURLToPath(new URL("..", import.meta.url));

export interface BroadcastHost extends Host {
  readonly wsUrl: string;
  readonly httpUrl: string;
}

/** The broadcast service on the local host, on a free port. */
export async function startBroadcastHost({
  environment,
  ...options
}: Partial<HostOptions> = {}): Promise<BroadcastHost> {
  // Tests cause errors on purpose; what a client is told of them is what counts.
  const quiet = { POWERTOOLS_LOG_LEVEL: "SILENT", ...environment };
  const host = await startHost({ services: [SERVICE], port: 0, environment: quiet, ...options });
  const path = `127.0.0.1:${host.port}/message-broadcast`;
  return { ...host, wsUrl: `ws://${path}`, httpUrl: `http://${path}` };
}
