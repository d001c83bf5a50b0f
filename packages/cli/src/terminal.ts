import pc from "picocolors";
import type { CommandError } from "./command-error.ts";

type Colors = ReturnType<typeof pc.createColors>;

/** Where a command reads and writes. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  /** Whether somebody looks at stdout, rather than a program. */
  readonly isWatched: boolean;
  /** Whether somebody can be asked. */
  readonly canAsk: boolean;
  /** Of stdout; they do nothing in a pipe. */
  readonly colors: Colors;
  /** A line of the result, on stdout. */
  print(line: string): void;
  /** A line for whoever watches, on stderr. */
  note(line: string): void;
  /** Something went wrong or differs from what one expects, on stderr. */
  warn(line: string): void;
  fail(error: Pick<CommandError, "message" | "code">): void;
}

type Process = Pick<NodeJS.Process, "stdin" | "stdout" | "stderr" | "env">;

export function createTerminal({ stdin, stdout, stderr, env }: Process): Terminal {
  const colorsOf = (stream: NodeJS.WriteStream) =>
    pc.createColors(stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb");
  const colors = colorsOf(stdout);
  const errorColors = colorsOf(stderr);
  const writeError = (line: string) => void stderr.write(`${line}\n`);
  return {
    stdin,
    isWatched: stdout.isTTY === true,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    colors,
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => writeError(errorColors.dim(printable(line))),
    warn: (line) => writeError(`${errorColors.yellow("warning:")} ${printable(line)}`),
    fail({ message, code }) {
      const text = printable(message) + (code === undefined ? "" : ` (${printable(code)})`);
      writeError(`${errorColors.red("error:")} ${text}`);
    },
  };
}

/** Control characters and marks that turn the direction of text around: in what others sent they could rewrite the screen. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of others as one line that a terminal can be shown. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Rows under their headings, in columns. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { bold }: Colors,
): string {
  const printed = rows.map((row) => row.map(printable));
  const widths = headings.map((heading, at) => Math.max(heading.length, ...printed.map((row) => row[at]?.length ?? 0)));
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  return [bold(lineOf(headings)), ...printed.map(lineOf)].join("\n");
}
