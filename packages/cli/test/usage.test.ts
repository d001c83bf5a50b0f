import { describe, expect, it, jest } from "@jest/globals";
import { run } from "./topicast.ts";

jest.setTimeout(180_000);

const COMMANDS = [
  [],
  ["publish"],
  ["subscribe"],
  ["token"],
  ["apps"],
  ["apps", "create"],
  ["apps", "list"],
  ["apps", "show"],
  ["apps", "rm"],
  ["keys"],
  ["keys", "create"],
  ["keys", "list"],
  ["keys", "rm"],
];
const TAKES_SECRETS = COMMANDS.filter(
  ([name, sub]) => name !== undefined && (sub !== undefined || !["apps", "keys"].includes(name)),
);

describe("--help", () => {
  it.each(COMMANDS.map((words) => [words.join(" "), words]))(
    "topicast %s has one, with an example",
    async (name, words) => {
      const { code, stdout, stderr } = await run([...words, "--help"], { env: { FORCE_COLOR: "0" } });

      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`^Usage: topicast ${name}`));
      expect(stdout).toMatch(/\nExamples:\n {2}\$ .*topicast /);
      expect(stdout).not.toContain("\u001b");
    },
  );

  it.each(TAKES_SECRETS.map((words) => [words.join(" "), words]))(
    "of topicast %s says that the environment is the better place for secrets",
    async (_, words) => {
      const { stdout } = await run([...words, "--help"]);

      expect(stdout).toMatch(/env: TOPICAST_(OPERATOR_)?KEY/);
      expect(stdout).toContain("by the environment");
    },
  );
});

describe("who calls it wrongly gets one line and the exit code 2:", () => {
  const KEY = `jam.k1:${"s".repeat(43)}`;

  it.each<[string[], RegExp]>([
    [["dance"], /unknown command 'dance'/],
    [["publish", "room/1"], /missing required argument 'payload'/],
    [["publish", "room/1", "1", "2"], /too many arguments/],
    [["publish", "room/1", "1", "--loud"], /unknown option '--loud'/],
    [["publish", "room//1", "1"], /`topic` has an empty segment/],
    [["publish", "room/1", "1e400"], /number beyond/],
    [["publish", "room/1", "-", "--idempotency-key", "k".repeat(60)], /at most 52 characters/],
    [
      ["publish", "room/1", "1", "--url", "localhost"],
      /--url must be an address that begins with http:\/\/ or https:\/\//,
    ],
    [["publish", "room/1", "1", "--topic-url", "wss://x"], /--topic-url must be an address that begins with http/],
    [["publish", "room/1", "1", "--url", "http://me:hush@x"], /--url must hold nothing but protocol, host and path/],
    [["publish", "room/1", "1", "--key", "a hush"], /--key holds a space or a character/],
    [["subscribe"], /missing required argument 'topic'/],
    [["subscribe", "room/*"], /`topic` may hold only/],
    [["subscribe", "room/1", "--socket-url", "https://x"], /--socket-url must be an address that begins with ws/],
    [["subscribe", "room/1", "--since", "seven"], /--since must be the epoch and seq/],
    [["subscribe", "a", "b", "--since", "k3f9:1"], /--since is a place in one topic/],
    [["subscribe", "room/1", "--last", "101"], /whole number from 1 to 100/],
    [["subscribe", "room/1", "--last", "1", "--since", "k3f9:1"], /cannot be used with option '--since/],
    [["subscribe", "room/1", "--count", "0"], /whole number from 1 to/],
    [["subscribe", "room/1", "--key", "nokey"], /The key must read/],
    [["token", "--sub", "alice"], /set TOPICAST_KEY, or give --key/],
    [["token", "--key", KEY], /required option '--sub <name>'/],
    [["token", "--key", "jam.k1:short", "--sub", "alice"], /The key must read/],
    [["token", "--key", KEY, "--sub", ""], /`sub` must be there/],
    [["token", "--key", KEY, "--sub", "a", "--cap", "{"], /--cap must be a JSON object/],
    [["token", "--key", KEY, "--sub", "a", "--cap", '["subscribe"]'], /--cap must be a JSON object/],
    [["token", "--key", KEY, "--sub", "a", "--cap", '{"room/*":["dance"]}'], /subscribe, publish, history, presence/],
    [
      ["token", "--key", KEY, "--sub", "a", "--cap", '{"*/room":["publish"]}'],
      /may hold `\*` only as its last segment/,
    ],
    [["token", "--key", KEY, "--sub", "a", "--can", "dance"], /subscribe, publish, history, presence/],
    [["token", "--key", KEY, "--sub", "a", "--topic", "room/*"], /--topic needs --can/],
    [["token", "--key", KEY, "--sub", "a", "--cap", "{}", "--can", "publish"], /cannot be used with option '--can/],
    [["token", "--key", KEY, "--sub", "a", "--expires", "5"], /number and a unit, such as 90s/],
    [["token", "--key", KEY, "--sub", "a", "--expires", "soon"], /number and a unit/],
    [["apps", "create"], /missing required argument 'name'/],
    [["apps", "create", "jam", "--rules", "{}"], /--rules must be a JSON list/],
    [["apps", "create", "jam", "--expires", "-1h"], /number and a unit/],
    [["apps", "create", "jam", "--max-connections", "many"], /whole number/],
    [["apps", "rm", "jam"], /Nobody can be asked here: give --yes/],
    [["keys", "rm", "jam"], /missing required argument 'key'/],
    [["keys", "create", "jam", "--expires", "1 fortnight"], /number and a unit/],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await run(args, { env: { TOPICAST_URL: "" } });

    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^error: .*\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toMatch(/hush|ssss|short/);
  });

  it.each([[[]], [["apps"]], [["keys"]]])("%j prints the help", async (args) => {
    const { code, stdout, stderr } = await run(args);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: topicast/);
  });
});
