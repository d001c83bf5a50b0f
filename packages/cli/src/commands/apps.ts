import { createInterface } from "node:readline/promises";
import { isJsonObject, type Json, type JsonObject, parseJson } from "@topicast/protocol";
import { Command, Option } from "commander";
import { adminOf, expiresAt, textOf, timeOf } from "../admin.ts";
import { CommandError, usageError } from "../command-error.ts";
import { examples, jsonOption } from "../command-help.ts";
import {
  applicationsUrlOption,
  type ConnectionOptions,
  operatorKeyOption,
  SECRETS_HELP,
  urlOption,
} from "../connection-options.ts";
import { parseDuration, wholeNumber } from "../option-parsers.ts";
import { formatTable, printable, type Terminal } from "../terminal.ts";

interface AppOptions extends ConnectionOptions {
  readonly json?: true;
}

interface CreateOptions extends AppOptions {
  readonly expires?: number;
  readonly maxConnections?: number;
  readonly rules?: string;
}

interface RemoveOptions extends AppOptions {
  readonly yes?: true;
}

const PAGE_LIMIT = 100;

export function appsCommand(terminal: Terminal): Command {
  const commands = [createCommand, listCommand, showCommand, removeCommand];
  const apps = new Command("apps")
    .description("Creates, lists, shows and removes applications. Needs the operator's key.")
    .addHelpText("after", examples("topicast apps create jam", "topicast apps list", "topicast apps create --help"));
  for (const create of commands) apps.addCommand(withConnection(create(terminal)));
  return apps;
}

/** The options of every command of the operator, and the end of its help. */
export function withConnection(command: Command): Command {
  return command
    .addOption(jsonOption())
    .addOption(urlOption())
    .addOption(applicationsUrlOption())
    .addOption(operatorKeyOption());
}

function createCommand(terminal: Terminal): Command {
  return new Command("create")
    .argument("<name>", "small letters, digits and -")
    .description(
      "Creates an application and prints its first key, which is shown this once. What is said about it goes to stderr.",
    )
    .addOption(
      new Option("--expires <duration>", "after which it is gone, with all of its data; such as 2h").argParser(
        parseDuration,
      ),
    )
    .addOption(
      new Option("--max-connections <number>", "how many clients may be connected at a time").argParser(
        wholeNumber(1, Number.MAX_SAFE_INTEGER),
      ),
    )
    .option("--rules <json>", "a list of topic rules, as in docs/topic-rules.md")
    .addHelpText(
      "after",
      `
${SECRETS_HELP}
${examples(
  "topicast apps create jam",
  "export TOPICAST_KEY=$(topicast apps create jam --expires 2d --max-connections 200)",
  `topicast apps create jam --rules '[{"match":"game/*","ephemeral":true}]' --json`,
)}`,
    )
    .action((name: string, options: CreateOptions) => create(terminal, name, options));
}

async function create(terminal: Terminal, app: string, options: CreateOptions): Promise<void> {
  const { expires, maxConnections, rules } = options;
  const created = await adminOf(options).post("/apps", {
    app,
    ...(rules !== undefined && { rules: parseRules(rules) }),
    ...(maxConnections !== undefined && { maxConnections }),
    ...expiresAt(expires),
  });
  if (options.json) return terminal.print(JSON.stringify(created));
  terminal.note(`Application ${app} is there. Its first key, shown this once:`);
  terminal.print(textOf(created.key));
}

function parseRules(text: string): Json {
  const parsed = parseJson(text);
  if (parsed.ok && Array.isArray(parsed.value)) return parsed.value;
  throw usageError(`--rules must be a JSON list, such as '[{"match":"game/*","ephemeral":true}]'.`);
}

function listCommand(terminal: Terminal): Command {
  return new Command("list")
    .description("Lists all applications.")
    .addHelpText(
      "after",
      `\n${SECRETS_HELP}\n${examples("topicast apps list", "topicast apps list --json | jq -r '.[].app'")}`,
    )
    .action((options: AppOptions) => list(terminal, options));
}

async function list(terminal: Terminal, options: AppOptions): Promise<void> {
  const admin = adminOf(options);
  const apps: JsonObject[] = [];
  for (let cursor: Json | undefined = ""; typeof cursor === "string"; ) {
    const page = await admin.get(`/apps?limit=${PAGE_LIMIT}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    apps.push(...listOf(page.apps));
    cursor = page.cursor;
  }
  if (options.json) return terminal.print(JSON.stringify(apps));
  if (apps.length === 0) return terminal.note("There are no applications.");
  const rows = apps.map((app) => [
    textOf(app.app),
    timeOf(app.createdAt),
    timeOf(app.expiresAt),
    textOf(app.maxConnections),
  ]);
  terminal.print(formatTable(["NAME", "CREATED", "EXPIRES", "MAX CONNECTIONS"], rows, terminal.colors));
}

function showCommand(terminal: Terminal): Command {
  return new Command("show")
    .argument("<name>", "the application")
    .description("Shows an application: its limits, rules and keys.")
    .addHelpText(
      "after",
      `\n${SECRETS_HELP}\n${examples("topicast apps show jam", "topicast apps show jam --json | jq .rules")}`,
    )
    .action((name: string, options: AppOptions) => show(terminal, name, options));
}

async function show(terminal: Terminal, name: string, options: AppOptions): Promise<void> {
  const app = await adminOf(options).get(`/apps/${encodeURIComponent(name)}`);
  if (options.json) return terminal.print(JSON.stringify(app));
  const lines = [
    ["name", textOf(app.app)],
    ["created", timeOf(app.createdAt)],
    ["expires", timeOf(app.expiresAt)],
    ["max connections", textOf(app.maxConnections)],
    ["rules", JSON.stringify(app.rules ?? [])],
    [
      "keys",
      listOf(app.keys)
        .map(({ keyId }) => textOf(keyId))
        .join(", "),
    ],
  ];
  for (const [label = "", text = ""] of lines)
    terminal.print(`${terminal.colors.dim(label.padEnd(15))}  ${printable(text)}`);
}

function removeCommand(terminal: Terminal): Command {
  return new Command("rm")
    .argument("<name>", "the application")
    .description("Removes an application with its keys and all of its data, at once. Asks first.")
    .option("--yes", "don't ask; needed where nobody can be asked")
    .addHelpText("after", `\n${SECRETS_HELP}\n${examples("topicast apps rm jam", "topicast apps rm jam --yes")}`)
    .action((name: string, options: RemoveOptions) => remove(terminal, name, options));
}

async function remove(terminal: Terminal, name: string, options: RemoveOptions): Promise<void> {
  const admin = adminOf(options);
  if (!options.yes) await confirm(terminal, `Remove application ${printable(name)} and all of its data?`);
  await admin.delete(`/apps/${encodeURIComponent(name)}`);
  terminal.print(
    options.json ? JSON.stringify({ app: name, removed: true }) : `Application ${printable(name)} is removed`,
  );
}

/** Throws a `CommandError` where the answer isn't yes. */
async function confirm({ stdin, canAsk }: Terminal, question: string): Promise<void> {
  if (!canAsk) throw usageError("Nobody can be asked here: give --yes.");
  const lines = createInterface({ input: stdin, output: process.stderr });
  const answer = await lines.question(`${question} [y/N] `).finally(() => lines.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError("Nothing was removed.");
}

export function listOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
