import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { Host } from "@topicast/local";
import { startServices } from "./hosts.ts";
import { jsonLines, run, start, TOPICAST } from "./topicast.ts";

// Each command is a process of its own.
jest.setTimeout(180_000);

let host: Host;
let env: Record<string, string>;
beforeAll(async () => {
  host = await startServices(["message-topic"]);
  env = { TOPICAST_URL: host.url };
});
afterAll(() => host.close());

describe("topicast publish and subscribe", () => {
  it("sends JSON as what it is and other text as a string, and prints JSON lines in a pipe", async () => {
    const subscriber = start(["subscribe", "room/1", "--count", "3"], { env });
    await subscriber.noted("Subscribed to room/1.");
    const first = await run(["publish", "room/1", '{"x":[1]}', "--from", "alice"], { env });
    await run(["publish", "room/1", "hello there"], { env });
    await run(["publish", "room/1", "17"], { env });

    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 message published to room\/1, at \w+:1\n$/),
    });
    const { code, stdout } = await subscriber.exit;
    expect(code).toBe(0);
    const message = { topic: "room/1", epoch: expect.any(String), time: expect.any(Number), key: expect.any(String) };
    expect(jsonLines(stdout)).toEqual([
      { ...message, seq: 1, payload: { x: [1] }, from: "alice" },
      { ...message, seq: 2, payload: "hello there" },
      { ...message, seq: 3, payload: 17 },
    ]);
  });

  it("publishes stdin line by line in batches, and what was before comes with --last and --since", async () => {
    const lines = Array.from({ length: 250 }, (_, n) => JSON.stringify({ n }));
    const stdin = `${lines.join("\n\n")}\r\nlast one`;
    const published = await run(["publish", "lines", "-", "--json"], { env, stdin });
    const [answer] = jsonLines(published.stdout);
    expect(answer).toEqual({ topic: "lines", epoch: expect.any(String), seq: 251, count: 251 });

    const last = await run(["subscribe", "lines", "--last", "2", "--count", "2"], { env });
    expect(jsonLines(last.stdout)).toMatchObject([{ payload: { n: 249 } }, { payload: "last one" }]);

    const since = await run(["subscribe", "lines", "--since", `${answer?.epoch}:0`, "--count", "251"], { env });
    expect(jsonLines(since.stdout).map(({ seq }) => seq)).toEqual(Array.from({ length: 251 }, (_, at) => at + 1));
  });

  it("publishes lines as they come", async () => {
    const publisher = start(["publish", "live", "-"], { env, stdin: "open" });
    const subscriber = start(["subscribe", "live"], { env });
    await subscriber.noted("Subscribed");
    publisher.child.stdin?.write("one\n");
    await subscriber.printed(1);
    publisher.child.stdin?.end("two\n");
    await subscriber.printed(2);

    expect(await publisher.exit).toMatchObject({ code: 0, stdout: expect.stringContaining("2 messages published") });
  });

  it("doubles nothing where the same publish of lines is repeated with an idempotency key", async () => {
    const stdin = Array.from({ length: 150 }, (_, n) => `line ${n}`).join("\n");
    const args = ["publish", "twice", "-", "--idempotency-key", "import-7", "--json"];
    const first = await run(args, { env, stdin });
    const second = await run(args, { env, stdin });

    expect(jsonLines(second.stdout)).toEqual(jsonLines(first.stdout));
    expect(jsonLines(first.stdout)).toMatchObject([{ seq: 150, count: 150 }]);
  });

  it("publishes ephemeral messages, which have no place", async () => {
    const subscriber = start(["subscribe", "position", "--count", "1"], { env });
    await subscriber.noted("Subscribed");
    const published = await run(["publish", "position", "[1,2]", "--ephemeral"], { env });

    expect(published.stdout).toBe("1 message published to position\n");
    const [message] = jsonLines((await subscriber.exit).stdout);
    expect(message).toMatchObject({ topic: "position", payload: [1, 2] });
    expect(message).not.toHaveProperty("seq");
  });

  it("subscribes to several topics, each with its own history", async () => {
    for (const topic of ["a", "b"]) await run(["publish", topic, topic], { env });
    const { stdout } = await run(["subscribe", "a", "b", "--last", "1", "--count", "2"], { env });

    expect(new Set(jsonLines(stdout).map(({ payload }) => payload))).toEqual(new Set(["a", "b"]));
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends well by %s", async (signal) => {
    const subscriber = start(["subscribe", "room/2"], { env });
    await subscriber.noted("Subscribed");
    subscriber.child.kill(signal);

    expect(await subscriber.exit).toEqual({ code: 0, stdout: "", stderr: "Subscribed to room/2.\n" });
  });

  it("ends well where nobody reads on", async () => {
    await run(["publish", "many", "-"], { env, stdin: "1\n2\n3\n" });
    const shell = `set -o pipefail; "${TOPICAST}" subscribe many --last 3 | head -1`;
    const piped = start([], { env, shell });
    await piped.printed(1);
    for (let n = 0; n < 2; n++) await run(["publish", "many", "more"], { env });

    expect(await piped.exit).toMatchObject({ code: 0 });
  });

  it("says that history has what was asked for no more", async () => {
    const subscriber = start(["subscribe", "room/1", "--since", "another:3", "--count", "1"], { env });
    await subscriber.noted("are lost");
    await run(["publish", "room/1", "later"], { env });

    const { stderr, stdout } = await subscriber.exit;
    expect(stderr).toMatch(/warning: Messages of room\/1 after another:3 are lost/);
    expect(jsonLines(stdout)).toMatchObject([{ payload: "later" }]);
  });

  it("tells what the service refuses, with its code, and exits with 1", async () => {
    const nested = `${"[".repeat(90)}${"]".repeat(90)}`;
    const from = "x".repeat(65);

    expect(await run(["publish", "room/1", nested, "--from", from], { env })).toEqual({
      code: 1,
      stdout: "",
      stderr: "error: `from` must be a string of 1 to 64 characters. (bad_request)\n",
    });
  });

  it("shows a terminal time, topic, sender and payload in colours, and no control characters of others", async () => {
    await run(["publish", "shown", "-", "--from", "al\u001b[31mice"], {
      env,
      stdin: '"\\u001b[2J\\u009b2J"\n{"a":1}\n',
    });
    const command = `"${TOPICAST}" subscribe shown --last 2 --count 2`;
    const shell = `script -qec '${command}' /dev/null`;
    const { stdout } = await run([], { env: { ...env, TERM: "xterm" }, shell });
    const plain = await run([], { env: { ...env, TERM: "xterm", NO_COLOR: "1" }, shell });

    expect(stdout).toContain("\u001b[36mshown\u001b[39m  \u001b[32mal\\u001b[31mice\u001b[39m");
    expect(stdout).toContain('{"a":1}');
    for (const text of [stdout, plain.stdout]) expect(text).toContain('"\\u001b[2J\\u009b2J"');
    expect(plain.stdout).not.toContain("\u001b");
  });
});
