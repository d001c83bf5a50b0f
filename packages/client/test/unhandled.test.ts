import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";

const FIXTURE = join(__dirname, "fixtures/unhandled.ts");

// The test runner takes unhandled rejections for its own, so this runs in another process. That it ends shows that no timer is left, too.
it("reports what a listener throws and a refusal that nobody listens to, and keeps nothing from anyone for that", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", FIXTURE], { timeout: 50_000 });
  expect(stdout.trim().split("\n").sort()).toEqual([
    "message 1",
    "message 2",
    "unhandled: You may not.",
    "unhandled: mistake 1",
    "unhandled: mistake 2",
  ]);
});
