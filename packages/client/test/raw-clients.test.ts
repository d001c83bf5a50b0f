import { spawn, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { type Host, startHost } from "@topicast/local";

const ROOT = resolve(__dirname, "../../..");
const hasPython = spawnSync("python3", ["--version"]).status === 0;

let host: Host;
beforeEach(async () => {
  const services = [join(ROOT, "services/message-topic")];
  host = await startHost({ services, port: 0, environment: { POWERTOOLS_LOG_LEVEL: "SILENT" } });
});
afterEach(() => host.close());

/** The block of a page in some language, with this test's host for the one that it names. */
async function readBlock(language: string): Promise<string> {
  const page = await readFile(join(ROOT, "docs/raw-clients.md"), "utf8");
  const [, code = ""] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(page) ?? [];
  return code.replace("localhost", "127.0.0.1").replace("4000", `${host.port}`);
}

async function publish(payload: unknown): Promise<void> {
  const url = `${host.url}/message-topic/topics/room/1/messages`;
  await fetch(url, { method: "POST", body: JSON.stringify({ payload }) });
}

// A machine without Python can't run Python; the line says so.
const where = hasPython ? it : it.skip;
where("the client in Python subscribes, publishes and prints what comes", async () => {
  const child = spawn("python3", ["-c", await readBlock("python")], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (lines.length === 1) await publish("ä".repeat(200));
      if (lines.length === 2) break;
    }
    expect(lines).toEqual(["1 {'x': 1}", `2 ${"ä".repeat(200)}`]);
  } finally {
    child.kill();
  }
});

it("the clients as text name the same service, and have about thirty lines", async () => {
  for (const language of ["python", "csharp", "gdscript"]) {
    const code = await readBlock(language);
    expect(code).toContain(`${host.port}`);
    expect(code).toContain("/message-topic");
    expect(code.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(40);
  }
});
