import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import type { Host } from "@topicast/local";
import { startServices } from "./hosts.ts";
import { start } from "./topicast.ts";

// Each line starts npm and the command.
jest.setTimeout(360_000);

const ROOT = join(__dirname, "../../..");

let host: Host;
beforeAll(async () => {
  host = await startServices(["message-topic"], { auth: true });
});
afterAll(() => host.close());

/** The blocks of a page that begin with a command, in order. */
async function readWalk(): Promise<string[]> {
  const page = await readFile(join(ROOT, "docs/cli.md"), "utf8");
  return [...page.matchAll(/^```\n(\$ [\s\S]*?\n)```$/gm)].flatMap(([, block = ""]) => block.trimEnd().split("\n"));
}

/** What differs each time, made equal. */
function plain(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
    .replace(/\b\d{13}\b/g, "TIME")
    .replace(/(?<="epoch":")\w+|\w+(?=:\d+$)/gm, "EPOCH")
    .replace(/(?<=^Key )\w+/gm, "KEY");
}

it("docs/cli.md: its lines print what stands there", async () => {
  const lines = await readWalk();
  const commands = lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
  const script = commands.flatMap((command) => [`printf '$ %s\\n' ${quote(command)}`, command]).join("\n");
  const folder = await mkdtemp(join(tmpdir(), "topicast-walk-"));
  // npx finds the workspace's command from inside it only; the walk's files go elsewhere.
  const npx = `npx() { command npx --prefix ${quote(ROOT)} "$@"; }`;
  const shell = `exec 2>&1; cd ${quote(folder)}; ${npx}\n${script}`;
  const env = { TOPICAST_URL: host.url, TOPICAST_OPERATOR_KEY: host.keys?.operator ?? "", HOME: folder };
  const { stdout } = await start([], { env, shell }).exit;

  expect(commands.length).toBeGreaterThan(8);
  expect(plain(stdout).trimEnd().split("\n")).toEqual(plain(lines.join("\n")).split("\n"));
});

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
