import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FEATURES, featuresOf } from "./features.ts";
import { writeReference } from "./reference.ts";
import { measureSizes } from "./sizes.ts";

export const README = fileURLToPath(new URL("../README.md", import.meta.url));

/** The README with what scripts make of it made anew. */
export async function generateReadme(): Promise<string> {
  const text = await readFile(README, "utf8");
  return replace(replace(text, "sizes", await writeSizes()), "reference", writeReference());
}

async function writeSizes(): Promise<string> {
  const sizes = await measureSizes();
  const features = featuresOf();
  const rows = sizes.map(({ name, version, bytes }) => [
    version === undefined ? `**${name}**` : `${name} ${version}`,
    bytes.toLocaleString("en"),
    ...features[name],
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
