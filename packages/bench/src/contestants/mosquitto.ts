import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProcess } from "../server-process.ts";
import type { Contestant } from "./contestant.ts";
import { installedVersion, SERVER_ENVIRONMENT } from "./installed.ts";

const COMMAND = "mosquitto";

export const mosquitto: Contestant = {
  id: "mosquitto",
  name: "mosquitto",
  dialect: "mqtt",
  version: () => installedVersion(COMMAND, ["-h"]),
  origin: "Debian's package `mosquitto`",
  async start() {
    const folder = await mkdtemp(join(tmpdir(), "mosquitto-"));
    const [plain, webSocket] = await freePorts();
    const file = join(folder, "mosquitto.conf");
    await writeFile(file, configurationOf(plain, webSocket));
    return startProcess({
      command: COMMAND,
      parameters: ["-c", file],
      environment: SERVER_ENVIRONMENT,
      speaksTo: "stderr",
      urlIn: (line) => (/ running$/.test(line) ? `ws://127.0.0.1:${webSocket}/mqtt` : undefined),
    }).finally(() => rm(folder, { recursive: true }));
  },
};

/** Without a plain listener 2.0.11 doesn't start, without the domain it listens on every network. */
function configurationOf(plain: number, webSocket: number): string {
  const lines = [
    "allow_anonymous true",
    "persistence false",
    "log_dest stderr",
    "log_type notice",
    "log_type information",
    "connection_messages false",
    "set_tcp_nodelay true",
    `listener ${plain} 127.0.0.1`,
    "socket_domain ipv4",
    `listener ${webSocket} 127.0.0.1`,
    "socket_domain ipv4",
    "protocol websockets",
    // As root it would become a user who may not read its file.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** Two that nobody listens on at this moment. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  for (const server of servers) await once(server.listen(0, "127.0.0.1"), "listening");
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) await once(server.close(), "close");
  return ports as [number, number];
}
