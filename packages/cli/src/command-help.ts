import { Option } from "commander";

export const jsonOption = (description = "print the result as JSON") => new Option("--json", description);

/** As every command's help ends. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}
