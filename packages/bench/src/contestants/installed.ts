import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";

/** Where Debian puts servers; not every user looks there. */
const FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** An environment in which commands of servers are found. */
export const SERVER_ENVIRONMENT = { ...process.env, PATH: [process.env.PATH, ...FOLDERS].join(delimiter) };

/** What a command says of its version, undefined where there is no such command. */
export function installedVersion(command: string, parameters: readonly string[]): string | undefined {
  const { stdout, error } = spawnSync(command, parameters, { env: SERVER_ENVIRONMENT, encoding: "utf8" });
  return error === undefined ? /\d+(\.\d+)+/.exec(stdout)?.[0] : undefined;
}
