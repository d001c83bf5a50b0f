import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../../", import.meta.url);
const PAGE = "docs/benchmarks.md";
const HEAD = `# Benchmarks

Every figure on this page is written by the command that measured it. On another machine, or a busy one, all of them differ; ratios hold better than
absolute figures. \`npm run bench -- --help\` lists these benchmarks and others.
`;

/**
 * Puts a section in the place of the one with its name, or behind the others where there is none. What other commands wrote stays as it is.
 */
export function replaceSection(page: string, name: string, text: string): string {
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const section = `${begin}\n\n${text.trim()}\n\n${end}`;
  const from = page.indexOf(begin);
  if (from === -1) return `${page.trimEnd()}\n\n${section}\n`;
  const to = page.indexOf(end, from);
  if (to === -1) throw new Error(`The section ${name} has no end.`);
  return page.slice(0, from) + section + page.slice(to + end.length);
}

/** Writes a section of docs/benchmarks.md. */
export async function writeSection(name: string, text: string): Promise<void> {
  const file = new URL(PAGE, ROOT);
  const page = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return HEAD;
    throw error;
  });
  await writeFile(file, replaceSection(page, name, text));
  process.stderr.write(`${PAGE} is written.\n`);
}

/** Writes a file beside the page, such as `benchmarks/latency.svg`. */
export async function writeBesidePage(path: string, text: string): Promise<void> {
  const file = fileURLToPath(new URL(`docs/${path}`, ROOT));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
