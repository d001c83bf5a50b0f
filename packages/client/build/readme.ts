import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { writeReference } from "./reference.ts";
import { type Library, measureSizes } from "./sizes.ts";

export const README = fileURLToPath(new URL("../README.md", import.meta.url));

/** What each does by itself, as its documentation says of the version that is installed here. */
const FEATURES = [
  "comes back",
  "brings what was missed",
  "each message once, in order",
  "batches",
  "publishes wait, and are retried",
];
const YES: Readonly<Record<Library, readonly string[]>> = {
  "@topicast/client": ["yes", "yes", "yes", "yes", "yes, and applied once"],
  partysocket: ["yes", "no", "no", "no", "wait"],
  "socket.io-client": ["yes", "if the server keeps it", "in order", "no", "wait; retried by option"],
  "pusher-js": ["yes", "no", "no", "no", "no"],
  centrifuge: ["yes", "if the server keeps it", "in order", "by command", "wait for 5 s"],
  ably: ["yes", "for two minutes", "yes", "by array", "yes, for two minutes"],
};

/** The README with what scripts make of it made anew. */
export async function generateReadme(): Promise<string> {
  const text = await readFile(README, "utf8");
  return replace(replace(text, "sizes", await writeSizes()), "reference", writeReference());
}

async function writeSizes(): Promise<string> {
  const sizes = await measureSizes();
  const rows = sizes.map(({ name, version, bytes }) => [
    version === undefined ? `**${name}**` : `${name} ${version}`,
    bytes.toLocaleString("en"),
    ...YES[name],
  ]);
  const table = [["", "bytes", ...FEATURES], ["---", "---:", ...FEATURES.map(() => "---")], ...rows];
  return table.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function replace(text: string, section: string, content: string): string {
  const [begin, end] = [`<!-- ${section} -->`, `<!-- end of ${section} -->`];
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`README.md has no section ${section}`);
  return `${text.slice(0, before + begin.length)}\n\n${content}\n\n${text.slice(after)}`;
}
