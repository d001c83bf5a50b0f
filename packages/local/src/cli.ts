import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Environment } from "./backend.ts";
import { parseChaos } from "./chaos.ts";
import { HELP } from "./cli-help.ts";
import { reportStart } from "./cli-report.ts";
import { readSettings, type SettingsOptions } from "./cli-settings.ts";
import { type Host, startHost } from "./host.ts";
import { DEFAULT_HOSTNAME, DEFAULT_PORT } from "./host-options.ts";
import { redact } from "./redact.ts";
import { onSignals } from "./signals.ts";
import { StartError } from "./start-error.ts";
import { findServices } from "./workspace-services.ts";

interface CliOptions extends SettingsOptions {
  readonly port: number;
  readonly host: string;
  readonly service?: readonly string[];
  readonly auth?: true;
  readonly chaos?: string | true;
}

const SERVICES_FOLDER = fileURLToPath(new URL("../../../services", import.meta.url));
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
    .option("--store <store>", "where connections, topics and applications are: memory, or redis, see below")
    .option("--aws", "have the services speak to DynamoDB, SQS and @connections over the wire, as on AWS")
    .option(
      "--auth",
      "close the doors: clients need tokens, backends keys, of which the first are printed at the start",
    )
    .option(
      "--settings <file>",
      "settings, a NAME=value a line, behind those of the environment; read again with SIGHUP",
    )
    .option("--chaos [faults]", "serve as over a bad network, with the faults below", joinChaos)
    .addHelpText("after", HELP)
    .action(run);
}

async function run(options: CliOptions, command: Command): Promise<void> {
  // The option without a value is refused as an empty one is: with the list of the faults.
  const chaos = options.chaos === undefined ? undefined : parseChaos(options.chaos === true ? "" : options.chaos);
  const { host: hostname, aws, auth } = options;
  const settings = await readSettings(options);
  const { env } = settings;
  const services = options.service ?? (await findServices(SERVICES_FOLDER, env));
  const { TOPICAST_KEY: application, TOPICAST_OPERATOR_KEY: operator } = env;
  const host = await startHost({
    services,
    port: portOf(command, options, env),
    hostname,
    ...settings,
    ...(aws && { wire: {} }),
    ...(auth && { auth: { application, operator } }),
    ...(chaos && { faults: chaos.faults }),
  });
  process.stdout.write(`${reportStart({ host, hostname, chaos, env })}\n`);
  onSignals({ end: () => end(host), reload: () => reload(host, options) });
}

/** The file's port is behind that of the command line and the environment. */
function portOf(command: Command, { port }: CliOptions, { PORT = "" }: Environment): number {
  if (command.getOptionValueSource("port") !== "default") return port;
  try {
    return parsePort(PORT);
  } catch (cause) {
    throw new StartError(`--settings: PORT is "${PORT}". ${(cause as Error).message}`, { cause });
  }
}

function end(host: Host): void {
  // Closing is bounded by itself; this is for what holds up the event loop meanwhile.
  setTimeout(() => process.exit(0), EXIT_AFTER_MS).unref();
  host.close().then(() => process.exit(0), fail);
}

async function reload(host: Host, options: CliOptions): Promise<void> {
  try {
    const { changed } = await host.reload(await readSettings(options));
    const names = host.services.map(({ name }) => name).join(", ");
    const settings = changed.length === 0 ? "no setting has changed" : `changed: ${changed.join(", ")}`;
    process.stdout.write(`Reloaded ${names}; ${settings}.\n`);
  } catch (error) {
    process.stderr.write(`error: nothing was reloaded, all goes on as before: ${describe(error)}\n`);
  }
}

function fail(error: unknown): void {
  process.stderr.write(`error: ${describe(error)}\n`);
  process.exit(1);
}

function describe(error: unknown): string {
  const text = error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  return redact(String(text));
}

// What a handler leaves behind unhandled ends its environment on Lambda, not the gateway; so it doesn't end the host.
process.on("unhandledRejection", (error) => {
  const text = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`unhandled rejection: ${redact(String(text))}\n`);
});

createCommand().parseAsync().catch(fail);
