import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { CHAOS_HELP, type Chaos, parseChaos } from "./chaos.ts";
import { type Host, startHost } from "./host.ts";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./host-options.ts";
import { redact } from "./redact.ts";
import { StartError } from "./start-error.ts";
import { findServices } from "./workspace-services.ts";

interface CliOptions {
  readonly port: number;
  readonly host: string;
  readonly service?: readonly string[];
  readonly aws?: true;
  readonly auth?: true;
  readonly chaos?: string | true;
}

const SERVICES_FOLDER = fileURLToPath(new URL("../../../services", import.meta.url));
const TOKEN_COMMAND = "npx topicast token --sub alice --can subscribe,publish,history";
const AUTH_HELP = [
  "Keys for --auth, from the environment; fresh ones where they aren't set:",
  "  TOPICAST_KEY           of the application default: default.{keyId}:{secret}",
  "  TOPICAST_OPERATOR_KEY  the operator's, 32 characters or more",
].join("\n");
/** A little less than the second in which the process must be gone. */
const EXIT_AFTER_MS = 900;

function parsePort(text: string): number {
  // An environment name that is empty counts as not set.
  if (text === "") return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

/** What is asked for in two places is asked for together. */
function joinChaos(text: string, earlier: string | true | undefined): string {
  return typeof earlier === "string" ? `${earlier},${text}` : text;
}

function createCommand(): Command {
  return new Command("npm start --")
    .configureOutput({ outputError: (text, write) => write(`${text.trimEnd().replaceAll("\n", " ")}\n`) })
    .description("Serves Topicast's services on this machine as API Gateway and Lambda do on AWS.")
    .addOption(
      new Option("--port <number>", "the port; 0 picks a free one")
        .env("PORT")
        .argParser(parsePort)
        .default(DEFAULT_PORT),
    )
    .option("--host <address>", "what to listen on; 0.0.0.0 is every network of this machine", DEFAULT_HOSTNAME)
    .option("--service <folder...>", "folders with a serverless.yml (default: every service of this repository)")
    .option("--aws", "have the services speak to DynamoDB, SQS and @connections over the wire, as on AWS")
    .option(
      "--auth",
      "close the doors: clients need tokens, backends keys, of which the first are printed at the start",
    )
    .option("--chaos [faults]", "serve as over a bad network, with the faults below", joinChaos)
    .addHelpText("after", `\n${CHAOS_HELP}\n\n${AUTH_HELP}`)
    .action(run);
}

async function run({ port, host: hostname, service, aws, auth, chaos: faults }: CliOptions): Promise<void> {
  // The option without a value is refused as an empty one is: with the list of the faults.
  const chaos = faults === undefined ? undefined : parseChaos(faults === true ? "" : faults);
  const services = service ?? (await findServices(SERVICES_FOLDER, process.env));
  const { STORE, TOPICAST_KEY: application, TOPICAST_OPERATOR_KEY: operator } = process.env;
  const mode = aws ? { wire: {} } : { environment: STORE === undefined ? {} : { STORE } };
  const doors = auth === undefined ? {} : { auth: { application, operator } };
  const host = await startHost({ services, port, hostname, ...mode, ...doors, ...(chaos && { faults: chaos.faults }) });
  print(host, hostname, chaos);
  exitOnSignal(host);
}

function print(host: Host, hostname: string, chaos: Chaos | undefined): void {
  const addresses = host.services.flatMap(({ name, webSocketUrl, httpUrl }) =>
    [webSocketUrl, httpUrl].flatMap((url) => (url === undefined ? [] : [`  ${name.padEnd(20)} ${url}`])),
  );
  const lines = [
    "Topicast is listening:",
    ...addresses,
    ...networkLines(hostname, host.port),
    ...wireLines(host),
    ...chaosLines(chaos),
    ...doorLines(host, hostname),
    "Ctrl-C stops it.",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
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

function chaosLines(chaos: Chaos | undefined): string[] {
  return chaos === undefined ? [] : [`Chaos is on, the network is bad on purpose: ${chaos.description}.`];
}

function doorLines({ keys }: Host, hostname: string): string[] {
  if (keys === undefined) {
    const reach = hostname === DEFAULT_HOSTNAME ? "on this machine" : "who can reach it";
    return [`There is no authentication: the host is open to everyone ${reach}.`];
  }
  const { TOPICAST_KEY, TOPICAST_OPERATOR_KEY } = process.env;
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

function exitOnSignal(host: Host): void {
  function exit(): void {
    // Closing is bounded by itself; this is for what holds up the event loop meanwhile.
    setTimeout(() => process.exit(0), EXIT_AFTER_MS).unref();
    host.close().then(() => process.exit(0), fail);
  }
  process.once("SIGINT", exit);
  process.once("SIGTERM", exit);
}

function fail(error: unknown): void {
  const text = error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`error: ${redact(String(text))}\n`);
  process.exit(1);
}

// What a handler leaves behind unhandled ends its environment on Lambda, not the gateway; so it doesn't end the host.
process.on("unhandledRejection", (error) => {
  const text = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`unhandled rejection: ${redact(String(text))}\n`);
});

createCommand().parseAsync().catch(fail);
