import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A program of the system that tests run. */
export interface Program {
  /** What it may be called, in the order of preference. */
  readonly names: readonly string[];
  /** Paths where it may be without being in `PATH`; empty ones are none. */
  readonly elsewhere?: readonly string[];
  /** What Debian and Ubuntu call its package. */
  readonly debianPackage: string;
  /** The line of who has none and may not install it. */
  readonly how: string;
}

/** The path of a program. Installs it where it may, as root on Debian or Ubuntu, and says so; throws a line that says how where it may not. */
export function findOrInstall(program: Program): string {
  return find(program) ?? install(program);
}

function find({ names, elsewhere = [] }: Program): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const inPath = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...inPath, ...elsewhere].find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return file !== "";
  } catch {
    // It isn't here, which is what was asked.
    return false;
  }
}

function install(program: Program): string {
  const { debianPackage, how } = program;
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (process.getuid?.() !== 0 || !/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release)) throw new Error(how);
  process.stdout.write(`There is no ${debianPackage} here; installing it with apt-get.\n`);
  // Its lists of packages may be missing or old. One at a time: other workers may need something too.
  const get = `apt-get install --yes --no-install-recommends ${debianPackage}`;
  const lock = join(tmpdir(), "topicast-apt-get.lock");
  try {
    execFileSync("flock", [lock, "sh", "-c", `${get} || { apt-get update && ${get}; }`], {
      stdio: "ignore",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  } catch (cause) {
    // Without a network, mostly.
    throw new Error(`${how} (apt-get could not)`, { cause });
  }
  const installed = find(program);
  if (installed === undefined) throw new Error(how);
  return installed;
}
