import { networkInterfaces } from "node:os";
import type { Environment } from "./backend.ts";
import type { Chaos } from "./chaos.ts";
import type { Host } from "./host.ts";
import { DEFAULT_HOSTNAME } from "./host-options.ts";

const TOKEN_COMMAND = "npx topicast token --sub alice --can subscribe,publish,history";

export interface StartReport {
  readonly host: Host;
  readonly hostname: string;
  readonly chaos: Chaos | undefined;
  readonly env: Environment;
}

/** What is said of a host that has started. */
export function reportStart({ host, hostname, chaos, env }: StartReport): string {
  const addresses = host.services.flatMap(({ name, webSocketUrl, httpUrl }) =>
    [webSocketUrl, httpUrl].flatMap((url) => (url === undefined ? [] : [`  ${name.padEnd(20)} ${url}`])),
  );
  const lines = [
    "Topicast is listening:",
    ...addresses,
    ...networkLines(hostname, host.port),
    ...wireLines(host),
    ...storeLines(env),
    ...chaosLines(chaos),
    ...doorLines(host, hostname, env),
    `Ctrl-C stops it, kill -HUP ${process.pid} gives it new settings.`,
  ];
  return lines.join("\n");
}

/** Under which addresses other machines find a host that listens on every network. */
function networkLines(hostname: string, port: number): string[] {
  if (hostname !== "0.0.0.0" && hostname !== "::") return [];
  const outside = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal }) => !internal),
  );
  const found = outside.filter(({ family }) => family === "IPv4").map(({ address }) => `${address}:${port}`);
  return found.length === 0 ? [] : [`From other machines, instead of localhost:${port}: ${found.join(" or ")}`];
}

function wireLines({ wire }: Host): string[] {
  return wire === undefined ? [] : [`DynamoDB answers at ${wire.dynamodbUrl}, SQS at ${wire.sqsUrl}.`];
}

function storeLines({ STORE, REDIS_URL }: Environment): string[] {
  if (STORE !== "redis") return [];
  // It may hold a password.
  const where = REDIS_URL === undefined ? "127.0.0.1:6379" : "REDIS_URL";
  return [`Connections, topics and applications are in the Redis at ${where}, where other hosts may share them.`];
}

function chaosLines(chaos: Chaos | undefined): string[] {
  return chaos === undefined ? [] : [`Chaos is on, the network is bad on purpose: ${chaos.description}.`];
}

function doorLines({ keys }: Host, hostname: string, env: Environment): string[] {
  if (keys === undefined) {
    const reach = hostname === DEFAULT_HOSTNAME ? "on this machine" : "who can reach it";
    return [`There is no authentication: the host is open to everyone ${reach}.`];
  }
  const { TOPICAST_KEY, TOPICAST_OPERATOR_KEY } = env;
  // Who gave a key has it, and the terminal may be recorded.
  const application = TOPICAST_KEY ? "as TOPICAST_KEY says" : keys.application;
  const operator = TOPICAST_OPERATOR_KEY ? "as TOPICAST_OPERATOR_KEY says" : keys.operator;
  return [
    "Doors are closed: clients need a token, backends a key. Fresh keys end with the host.",
    `Key of the application "default": ${application}`,
    `Operator's key: ${operator}`,
    `A token for a client: ${TOPICAST_KEY ? "" : `TOPICAST_KEY=${application} `}${TOKEN_COMMAND}`,
  ];
}
