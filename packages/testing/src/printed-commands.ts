import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A command as a page prints it. */
export interface PrintedCommand {
  readonly command: string;
  /** What the page says that it prints, line by line. */
  readonly output: readonly string[];
}

/** The commands of a page that begin with `curl`, in order: lines after `$ ` in its blocks of code, with what follows each, and those within its text. */
export async function readCurls(page: string): Promise<PrintedCommand[]> {
  const parts = (await readFile(page, "utf8")).matchAll(/^```\n(?<block>.*?)^```|`(?<inline>curl [^`]+)`/gms);
  return [...parts].flatMap(({ groups }) => {
    const inline = groups?.inline;
    return inline === undefined ? readBlock(groups?.block ?? "") : [{ command: inline, output: [] }];
  });
}

function readBlock(block: string): PrintedCommand[] {
  const commands: { readonly command: string; readonly output: string[] }[] = [];
  for (const line of block.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) commands.push({ command: line.slice(2), output: [] });
    else commands.at(-1)?.output.push(line);
  }
  return commands.filter(({ command }) => command.startsWith("curl "));
}

/** Runs it in bash as it is printed, but for the address. Rejects where it fails. */
export async function runPrinted(
  { command }: PrintedCommand,
  address: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const script = command.replaceAll("localhost:4000", address);
  const env = { PATH: process.env.PATH, ...environment };
  const { stdout } = await promisify(execFile)("bash", ["-euc", script], { env });
  return stdout.trimEnd().split("\n");
}

/** What must be as it is printed; of all else its kind is. */
const STABLE: ReadonlySet<string> = new Set([
  "topic",
  "room",
  "app",
  "payload",
  "from",
  "rights",
  "topics",
  "connections",
  "subscribers",
  "status",
  "code",
  "detail",
  "recovered",
  "more",
  "reason",
]);

/** A line with all that differs from run to run replaced by its kind, so that two of them can be compared. */
export function withoutChance(line: string): unknown {
  try {
    return kindOf(JSON.parse(line));
  } catch {
    // No JSON: it is compared as it is.
    return line;
  }
}

function kindOf(value: unknown, isStable = false): unknown {
  if (Array.isArray(value)) return value.map((one) => kindOf(one, isStable));
  if (typeof value !== "object" || value === null) return isStable ? value : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, kindOf(inner, STABLE.has(name))]));
}
