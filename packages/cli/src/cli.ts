import { CommanderError } from "commander";
import { CommandError, usageError } from "./command-error.ts";
import { createProgram } from "./program.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

/** Of a commander error that was no error: help was asked for. */
const ASKED_FOR = "commander.helpDisplayed";

/** Reports what ended a command. Returns the exit code. */
function report(terminal: Terminal, error: unknown): number {
  const known = error instanceof CommanderError ? usageOf(error) : error;
  if (known === undefined) return error instanceof CommanderError ? error.exitCode && 2 : 0;
  if (known instanceof CommandError) {
    terminal.fail(known);
    return known.exitCode;
  }
  // A fault of this program; whoever reports it needs the place.
  process.stderr.write(`${known instanceof Error ? known.stack : String(known)}\n`);
  return 1;
}

/** Undefined where commander has printed the help that says it all. */
function usageOf({ code, message }: CommanderError): CommandError | undefined {
  if (code === ASKED_FOR || code === "commander.help") return undefined;
  return usageError(message.replace(/^error: /, "").replaceAll("\n", " "));
}

// Whoever reads the output may have had enough, as `head` has.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

const terminal = createTerminal(process);
createProgram(terminal)
  .parseAsync()
  .catch((error: unknown) => {
    process.exitCode = report(terminal, error);
  });
