import { Command } from "commander";
import { examples } from "./command-help.ts";
import { appsCommand } from "./commands/apps.ts";
import { keysCommand } from "./commands/keys.ts";
import { publishCommand } from "./commands/publish.ts";
import { subscribeCommand } from "./commands/subscribe.ts";
import { tokenCommand } from "./commands/token.ts";
import type { Terminal } from "./terminal.ts";

export function createProgram(terminal: Terminal): Command {
  const program = new Command("topicast")
    .description(
      "Publishes and subscribes from the command line, and manages applications, keys and tokens of Topicast.",
    )
    .addHelpText(
      "after",
      `
Every command has a --help of its own, with examples. --json prints results for programs.
Exit codes: 0 done, 1 refused or failed, 2 called wrongly.
${examples(
  "topicast subscribe room/1",
  "topicast publish room/1 'hello there'",
  "topicast apps create jam --expires 2d",
)}`,
    );
  const commands = [publishCommand, subscribeCommand, tokenCommand, appsCommand, keysCommand];
  for (const create of commands) program.addCommand(create(terminal));
  for (const command of allOf(program)) {
    command
      .exitOverride()
      .configureHelp({ styleTitle: (text) => terminal.colors.bold(text) })
      // What goes wrong is reported in one place.
      .configureOutput({ outputError: () => {} });
  }
  return program;
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}
