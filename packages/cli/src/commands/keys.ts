import type { JsonObject } from "@topicast/protocol";
import { Command, Option } from "commander";
import { adminOf, expiresAt, textOf, timeOf } from "../admin.ts";
import { examples } from "../command-help.ts";
import { type ConnectionOptions, SECRETS_HELP } from "../connection-options.ts";
import { commaList, parseDuration } from "../option-parsers.ts";
import { formatTable, printable, type Terminal } from "../terminal.ts";
import { listOf, withConnection } from "./apps.ts";

interface KeyOptions extends ConnectionOptions {
  readonly json?: true;
}

interface CreateOptions extends KeyOptions {
  readonly rights?: readonly string[];
  readonly topics?: readonly string[];
  readonly expires?: number;
}

export function keysCommand(terminal: Terminal): Command {
  const commands = [createCommand, listCommand, removeCommand];
  const keys = new Command("keys")
    .description("Creates, lists and removes an application's keys. Needs the operator's key.")
    .addHelpText(
      "after",
      `
To rotate a key: create another, give it to your backends, then remove the old one.
${examples("topicast keys create jam", "topicast keys list jam", "topicast keys rm jam k1x")}`,
    );
  for (const create of commands) keys.addCommand(withConnection(create(terminal)));
  return keys;
}

function createCommand(terminal: Terminal): Command {
  return new Command("create")
    .argument("<app>", "the application")
    .description("Creates a key and prints it, this once. What is said about it goes to stderr.")
    .addOption(
      new Option(
        "--rights <rights>",
        "of publish, subscribe, history, presence, admin, with commas (default: all)",
      ).argParser(commaList),
    )
    .option("--topics <pattern...>", "where it has them (default: *, everywhere)")
    .addOption(new Option("--expires <duration>", "after which it is no good, such as 30d").argParser(parseDuration))
    .addHelpText(
      "after",
      `
${SECRETS_HELP}
${examples(
  "topicast keys create jam",
  "topicast keys create jam --rights publish,subscribe --topics 'room/*' lobby --expires 30d",
  "export TOPICAST_KEY=$(topicast keys create jam --rights publish)",
)}`,
    )
    .action((app: string, options: CreateOptions) => create(terminal, app, options));
}

async function create(terminal: Terminal, app: string, options: CreateOptions): Promise<void> {
  const { rights, topics, expires } = options;
  const created = await adminOf(options).post(pathOf(app), {
    ...(rights !== undefined && { rights }),
    ...(topics !== undefined && { topics }),
    ...expiresAt(expires),
  });
  if (options.json) return terminal.print(JSON.stringify(created));
  terminal.note(`A key of ${app}, shown this once:`);
  terminal.print(textOf(created.key));
}

function listCommand(terminal: Terminal): Command {
  return new Command("list")
    .argument("<app>", "the application")
    .description("Lists an application's keys, without what is secret about them.")
    .addHelpText("after", `\n${SECRETS_HELP}\n${examples("topicast keys list jam", "topicast keys list jam --json")}`)
    .action((app: string, options: KeyOptions) => list(terminal, app, options));
}

async function list(terminal: Terminal, app: string, options: KeyOptions): Promise<void> {
  const keys = listOf((await adminOf(options).get(pathOf(app))).keys);
  if (options.json) return terminal.print(JSON.stringify(keys));
  if (keys.length === 0) return terminal.note(`Application ${app} has no keys.`);
  terminal.print(formatTable(["KEY", "RIGHTS", "TOPICS", "CREATED", "EXPIRES"], keys.map(rowOf), terminal.colors));
}

function rowOf({ keyId, rights, topics, createdAt, expiresAt }: JsonObject): string[] {
  return [textOf(keyId), textOf(rights), textOf(topics), timeOf(createdAt), timeOf(expiresAt)];
}

function removeCommand(terminal: Terminal): Command {
  return new Command("rm")
    .argument("<app>", "the application")
    .argument("<key>", "the key's name, as `keys list` shows it")
    .description("Removes a key: it and the tokens that it signed are no good any more.")
    .addHelpText("after", `\n${SECRETS_HELP}\n${examples("topicast keys rm jam k1x")}`)
    .action((app: string, keyId: string, options: KeyOptions) => remove(terminal, app, keyId, options));
}

async function remove(terminal: Terminal, app: string, keyId: string, options: KeyOptions): Promise<void> {
  await adminOf(options).delete(`${pathOf(app)}/${encodeURIComponent(keyId)}`);
  terminal.print(
    options.json
      ? JSON.stringify({ app, keyId, removed: true })
      : `Key ${printable(keyId)} of ${printable(app)} is removed`,
  );
}

function pathOf(app: string): string {
  return `/apps/${encodeURIComponent(app)}/keys`;
}
