import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { startHostProcess, startNodeServer } from "../server-process.ts";
import type { Contestant } from "./contestant.ts";

/** One connection publishes as much as it can. */
const HOST_ENVIRONMENT = { MESSAGES_PER_SECOND_MAX: "1000000" };
const ORIGIN = "`npm ci` installs it";

export const topicastHost: Contestant = {
  id: "topicast",
  name: "Topicast's local host",
  dialect: "topicast",
  version: () => "this repository",
  origin: ORIGIN,
  start: (options) => startHostProcess({ ...options, environment: HOST_ENVIRONMENT }),
};

export const naiveWs: Contestant = {
  id: "ws",
  name: "`ws`, used naively",
  dialect: "topicast",
  version: () => versionOf("ws"),
  origin: ORIGIN,
  start: (options) => startNodeServer(new URL("./naive-server.ts", import.meta.url), options),
};

export const socketIo: Contestant = {
  id: "socket.io",
  name: "Socket.IO",
  dialect: "socketIo",
  version: () => versionOf("socket.io"),
  origin: ORIGIN,
  start: (options) => startNodeServer(new URL("./socket-io-server.ts", import.meta.url), options),
};

/** Undefined where it isn't there: dependencies were installed before it became one. */
function versionOf(name: string): string | undefined {
  try {
    const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return JSON.parse(readFileSync(file, "utf8")).version;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
