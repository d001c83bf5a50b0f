import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { buildPackage } from "../build/package.ts";

/* The package as it is published, in a project that has it installed. */

const run = promisify(execFile);
const MODULES = join(__dirname, "../../../node_modules");
const NAMES = ["TopicastError", "checked", "connect", "connectBroadcast"];
let project: string;
let installed: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "topicast-client-"));
  const modules = join(project, "node_modules");
  installed = join(modules, "@topicast/client");
  await mkdir(join(modules, "@types"), { recursive: true });
  await buildPackage(installed);
  await symlink(join(MODULES, "react"), join(modules, "react"));
  await symlink(join(MODULES, "@types/react"), join(modules, "@types/react"));
});
afterAll(() => rm(project, { recursive: true, force: true }));

async function node(file: string, code: string): Promise<unknown> {
  await writeFile(join(project, file), code);
  const { stdout } = await run(process.execPath, [join(project, file)]);
  return JSON.parse(stdout);
}

it("is imported as an ES module", async () => {
  const code = `import * as client from "@topicast/client"; import * as react from "@topicast/client/react";
    console.log(JSON.stringify([Object.keys(client).sort(), Object.keys(react).sort()]));`;
  expect(await node("import.mjs", code)).toEqual([NAMES, ["useConnectionState", "useTopic"]]);
});

it("is required from CommonJS", async () => {
  const code = `const client = require("@topicast/client"), react = require("@topicast/client/react");
    console.log(JSON.stringify([Object.keys(client).sort(), Object.keys(react).sort()]));`;
  expect(await node("require.cjs", code)).toEqual([NAMES, ["useConnectionState", "useTopic"]]);
});

it("is a global of a page that has its script", async () => {
  const page: { topicast?: object } = {};
  runInNewContext(await readFile(join(installed, "topicast.js"), "utf8"), page);
  expect(Object.keys(page.topicast ?? {}).sort()).toEqual(NAMES);
});

it("needs nothing but itself, and React where that is used", async () => {
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  expect(Object.keys(manifest)).not.toContain("dependencies");
  const texts = await Promise.all(
    ["index.js", "index.cjs", "topicast.js"].map((file) => readFile(join(installed, file), "utf8")),
  );
  for (const text of texts) {
    expect(text).not.toMatch(/\b(require\(|from\s*["'])/);
    expect(text).not.toMatch(/\b(process|Buffer|setImmediate|__dirname)\b/);
  }
});

it.each([
  ["import", "mts"],
  ["require", "cts"],
])("has types for %s", async (_, extension) => {
  const file = join(project, `uses.${extension}`);
  await writeFile(file, await readFile(join(__dirname, "types/uses.ts"), "utf8"));
  const compilerOptions = {
    ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, types: [] },
    ...{ target: "es2022", module: "node16", lib: ["es2022", "dom"] },
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
  const tsc = run(join(MODULES, ".bin/tsc"), ["-p", project]);
  await expect(
    tsc.then(
      ({ stdout }) => stdout,
      ({ stdout }) => stdout,
    ),
  ).resolves.toBe("");
});
