import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { deployedOptions } from "./deployed-bundle.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SERVICES = ["message-broadcast", "message-topic"];

/** What a deployed handler finds in its environment. */
const ENVIRONMENT = {
  AWS_REGION: "us-east-1",
  NODE_OPTIONS: "--enable-source-maps",
  STORE: "dynamodb",
  TABLE_NAME: "table",
  FANOUT_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/000000000000/fanout",
  DEAD_LETTER_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/000000000000/dead",
  GATEWAY_ENDPOINT: "https://abcdefghij.execute-api.us-east-1.amazonaws.com/prod",
};

/** What a first request may wait for: beyond, the command fails. */
const MAX_KILOBYTES = 600;
const MAX_LOAD_MS = 150;

/** Loads a file as Lambda's runtime does, and says how long that took. */
const LOAD = "const t=performance.now();require(process.argv[1]);console.log(performance.now()-t)";

/** Bundles each handler as it is deployed, prints its size and how long a new Node process takes to load it, and fails where either is too much. */
export async function benchColdStart(runs: number): Promise<void> {
  const over: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), "cold-start-"));
  try {
    process.stdout.write("| handler | minified KB | ms to load, median (lowest to highest) |\n|---|---|---|\n");
    for (const service of SERVICES) {
      for (const file of await bundleHandlers(service, folder)) {
        if (!(await printHandler(service, file, runs))) over.push(file);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  if (over.length > 0) throw new Error(`Over ${MAX_KILOBYTES} KB or ${MAX_LOAD_MS} ms: ${over.join(", ")}.`);
}

/** Whether it is within its limits. */
async function printHandler(service: string, file: string, runs: number): Promise<boolean> {
  const kilobytes = (await stat(file)).size / 1_000;
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await loadTimeMs(file));
  const name = `${service}/${file.split("/").at(-1)?.replace(".cjs", "")}`;
  const spread = spreadOf(times);
  process.stdout.write(`| ${name} | ${kilobytes.toFixed(0)} | ${formatSpread(spread)} |\n`);
  return kilobytes <= MAX_KILOBYTES && spread.median <= MAX_LOAD_MS;
}

async function bundleHandlers(service: string, folder: string): Promise<string[]> {
  const handlers = join(ROOT, "services", service, "src/handlers");
  const names = (await readdir(handlers)).map((file) => file.replace(".ts", ""));
  await build({
    ...(await deployedOptions()),
    entryPoints: names.map((name) => ({ in: join(handlers, `${name}.ts`), out: name })),
    outdir: join(folder, service),
    outExtension: { ".js": ".cjs" },
    target: "node22",
    logLevel: "error",
  });
  return names.map((name) => join(folder, service, `${name}.cjs`));
}

async function loadTimeMs(file: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", LOAD, file], {
    env: { ...process.env, ...ENVIRONMENT },
  });
  return Number(stdout);
}
