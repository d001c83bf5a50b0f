import { CHAOS_HELP } from "./chaos.ts";

const AUTH_HELP = [
  "Keys for --auth, from the environment; fresh ones where they aren't set:",
  "  TOPICAST_KEY           of the application default: default.{keyId}:{secret}",
  "  TOPICAST_OPERATOR_KEY  the operator's, 32 characters or more",
];

const STORE_HELP = [
  "With --store redis, hosts on one Redis share connections, topics and applications: clients of one get what clients of",
  "another publish. It is at REDIS_URL, redis://127.0.0.1:6379 where that isn't set. With --auth all hosts need the same",
  "keys, and the same ENCRYPTION_KEY of 32 characters or more. With --aws, --store is what STORE is on AWS.",
];

const RELOAD_HELP = [
  "SIGHUP (kill -HUP and the process's number) reads the file of --settings again, and gives all handlers the new",
  "settings. Clients stay connected. Where a setting is wrong, all goes on as before.",
];

/** What stands behind the options. */
export const HELP = [[CHAOS_HELP], AUTH_HELP, STORE_HELP, RELOAD_HELP]
  .map((lines) => `\n${lines.join("\n")}`)
  .join("\n");
