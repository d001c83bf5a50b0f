import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProcess } from "../server-process.ts";
import type { Contestant } from "./contestant.ts";
import { installedVersion, SERVER_ENVIRONMENT } from "./installed.ts";

const COMMAND = "nats-server";
/** -1 is a free port. */
const CONFIGURATION = `
listen: "127.0.0.1:-1"
websocket { listen: "127.0.0.1:-1", no_tls: true, compression: false }
`;

export const nats: Contestant = {
  id: "nats",
  name: "nats-server",
  dialect: "nats",
  version: () => installedVersion(COMMAND, ["--version"]),
  origin: "Debian's package `nats-server`",
  async start() {
    const folder = await mkdtemp(join(tmpdir(), "nats-"));
    const file = join(folder, "nats.conf");
    await writeFile(file, CONFIGURATION);
    return startProcess({
      command: COMMAND,
      parameters: ["--config", file],
      environment: SERVER_ENVIRONMENT,
      speaksTo: "stderr",
      urlIn: (line) => /Listening for websocket clients on (ws:\S+)/.exec(line)?.[1],
    }).finally(() => rm(folder, { recursive: true }));
  },
};
