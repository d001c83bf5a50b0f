import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Command } from "commander";
import { createProgram } from "../src/program.ts";
import { createTerminal } from "../src/terminal.ts";

const DOCUMENT = readFileSync(join(__dirname, "../../../docs/cli.md"), "utf8");

function commandsOf(command: Command, before = ""): { readonly name: string; readonly command: Command }[] {
  const name = `${before}${command.name()}`;
  return [{ name, command }, ...command.commands.flatMap((sub) => commandsOf(sub, `${name} `))];
}

const commands = commandsOf(createProgram(createTerminal(process)));

describe("docs/cli.md", () => {
  it.each(commands.filter(({ command }) => command.commands.length === 0).map(({ name }) => name))("has %s", (name) => {
    expect(DOCUMENT).toMatch(new RegExp(`^\\| \`${name}[ \`]`, "m"));
  });

  const options = new Map(commands.flatMap(({ command }) => command.options.map((option) => [option.long, option])));
  it.each([...options])("has %s in a table", (long, { envVar }) => {
    expect(DOCUMENT).toMatch(new RegExp(`^\\|.*\`${long}[ \`]`, "m"));
    if (envVar !== undefined) expect(DOCUMENT).toContain(`| \`${long}\` | \`${envVar}\` |`);
  });
});
