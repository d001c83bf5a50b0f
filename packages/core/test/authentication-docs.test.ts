import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, jest } from "@jest/globals";
import { tokenCase } from "./token-case.ts";

// Another Node starts.
jest.setTimeout(60_000);

const PAGE = fileURLToPath(new URL("../../../docs/authentication.md", import.meta.url));
/** Where the page's code finds jose. */
const FOLDER = fileURLToPath(new URL("..", import.meta.url));

it("docs/authentication.md makes a token in Node that opens the door", async () => {
  const { createApplication, addKey, check } = await tokenCase();
  await createApplication("game");
  const TOPICAST_KEY = await addKey("game", "k1");
  const [, code = ""] = /```js\n(.*?)```/s.exec(await readFile(PAGE, "utf8")) ?? [];
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
    cwd: FOLDER,
    env: { PATH: process.env.PATH, TOPICAST_KEY },
  });
  const cap = [{ topics: "room/*", rights: ["subscribe", "publish"] }];
  expect(await check(stdout.trim())).toMatchObject({ ok: true, value: { user: "alice", access: [cap, {}] } });
});
