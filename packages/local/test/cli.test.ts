import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { endAll, portOf, runCli } from "./cli-process.ts";
import { fixture } from "./fixture-host.ts";
import { connectClient, connectRefused } from "./web-socket-client.ts";

/** Sooner than anything that a host leaves open would end by itself: an idle connection is kept for five seconds. */
const EXIT_MS = 4_000;
/** All services of this repository, on a machine that is busy. */
const START_MS = 60_000;

afterEach(endAll);

describe("npm start", () => {
  it("prints the addresses of this repository's services and that it is open", async () => {
    const cli = runCli(["--port", "0"]);
    const output = await cli.printed("Ctrl-C");
    expect(output).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/message-topic$/m);
    expect(output).toMatch(/http:\/\/127\.0\.0\.1:\d+\/message-topic$/m);
    expect(output).toMatch(/^There is no authentication: the host is open to everyone on this machine\.$/m);
  });

  it("serves the folders that are named", async () => {
    const cli = runCli(["--port", "0", "--service", fixture("bare"), fixture("http")]);
    const response = await fetch(`http://127.0.0.1:${await portOf(cli)}/http/any`);
    expect(response.status).toBe(200);
  });

  it("serves over the wire with --aws, and says where DynamoDB and SQS answer", async () => {
    const cli = runCli(["--aws", "--port", "0", "--service", fixture("wire")], { STORE: "memory" });
    const output = await cli.printed("Ctrl-C");
    expect(output).toMatch(/^DynamoDB answers at http:\/\/127\.0\.0\.1:\d+, SQS at http:\/\/127\.0\.0\.1:\d+\.$/m);
    const response = await fetch(`http://127.0.0.1:${await portOf(cli)}/wire/environment`);
    expect(await response.json()).toMatchObject({ environment: { STORE: "dynamodb" } });
    const signalledAt = Date.now();
    cli.child.kill("SIGINT");
    expect(await cli.exited).toMatchObject({ code: 0, stderr: "" });
    expect(Date.now() - signalledAt).toBeLessThan(EXIT_MS);
  });

  it(
    "closes the doors with --auth, and prints keys that open them",
    async () => {
      const cli = runCli(["--auth", "--port", "0"]);
      const output = await cli.printed("Ctrl-C");
      const port = await portOf(cli);
      const key = /^Key of the application "default": (default\.\w+:[\w-]+)$/m.exec(output)?.[1] ?? "";
      const operatorKey = /^Operator's key: ([\w-]+)$/m.exec(output)?.[1] ?? "";
      expect(output).not.toContain("There is no authentication");
      expect(output).toContain(`TOPICAST_KEY=${key} npx topicast token `);

      const ask = async (path: string, bearer: string | undefined, body?: string) => {
        const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
        const options = body === undefined ? {} : { method: "POST", body };
        return (await fetch(`http://127.0.0.1:${port}${path}`, { headers, ...options })).status;
      };
      const messages = "/message-topic/topics/room/1/messages";
      expect(await ask(messages, key, '{"payload":1}')).toBe(202);
      for (const bearer of [undefined, operatorKey, `${key}x`]) {
        expect(await ask(messages, bearer, '{"payload":1}')).toBe(401);
      }
      expect(await ask("/applications/apps/default", operatorKey)).toBe(200);
      expect(await ask("/applications/apps/default", key)).toBe(401);
      expect((await connectRefused(`ws://127.0.0.1:${port}/message-topic`)).status).toBe(401);

      cli.child.kill("SIGINT");
      const { code, stdout, stderr } = await cli.exited;
      expect(code).toBe(0);
      // After the start nothing repeats them.
      for (const secret of [key, operatorKey]) expect(stdout.slice(output.length) + stderr).not.toContain(secret);
    },
    START_MS,
  );

  it(
    "takes the keys of its environment with --auth, and keeps them to itself",
    async () => {
      const key = `default.k1:${"s".repeat(32)}`;
      const operatorKey = "o".repeat(32);
      const cli = runCli(["--auth", "--port", "0"], { TOPICAST_KEY: key, TOPICAST_OPERATOR_KEY: operatorKey });
      const output = await cli.printed("Ctrl-C");
      expect(output).toMatch(/^Key of the application "default": as TOPICAST_KEY says$/m);
      for (const secret of [key, operatorKey]) expect(output).not.toContain(secret);
      const response = await fetch(`http://127.0.0.1:${await portOf(cli)}/message-topic/topics/a/messages`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: '{"payload":1}',
      });
      expect(response.status).toBe(202);
    },
    START_MS,
  );

  it.each([
    ["one list", ["--chaos", "drop=2,delay=50..400"]],
    ["two lists", ["--chaos", "drop=2", "--chaos", "delay=50..400"]],
  ])("says that chaos is on, and with what amounts: %s", async (_what, parameters) => {
    const cli = runCli([...parameters, "--port", "0", "--service", fixture("bare")]);
    expect(await cli.printed("Ctrl-C")).toMatch(/^Chaos is on, .*: drop 2 %, delay 50 to 400 ms\.$/m);
  });

  it("prints its options with --help", async () => {
    const { code, stdout } = await runCli(["--help"]).exited;
    expect(code).toBe(0);
    for (const option of [
      "--port",
      "--host",
      "--service",
      "--aws",
      "--auth",
      "--store",
      "REDIS_URL",
      "--settings",
      "SIGHUP",
      "TOPICAST_KEY",
      "--chaos",
      "drop=2",
      "PORT",
      "4000",
      "127.0.0.1",
    ])
      expect(stdout).toContain(option);
  });
});

describe("what can't work gives one line and a status of 1:", () => {
  async function expectError(
    parameters: string[],
    line: string | RegExp,
    env: Record<string, string> = {},
  ): Promise<void> {
    const { code, stderr, stdout } = await runCli(parameters, env).exited;
    expect(stderr.trimEnd()).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([code, stdout]).toEqual([1, ""]);
  }

  it("a taken port", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const taken = `error: Port ${port} is taken; stop what uses it, or choose another with --port`;
    await expectError(["--service", fixture("bare")], taken, { PORT: String(port) });
    server.close();
  });

  it("a bad option", async () => {
    await expectError(["--prot", "1"], "error: unknown option '--prot' (Did you mean --port?)");
  });

  it("a bad port", async () => {
    await expectError(
      ["--port", "many"],
      /^error: option '--port <number>' argument 'many' is invalid\. A port is a number/,
    );
    await expectError([], /^error: option '--port <number>' value '70000' from env 'PORT' is invalid\./, {
      PORT: "70000",
    });
  });

  it.each([
    [["--chaos", "jitter=2"], 'there is no fault "jitter"'],
    [["--chaos", "drop=2", "--chaos", "drop=3"], "drop is there twice"],
    [["--chaos"], "a fault is missing"],
    [["--chaos", "--aws"], "a fault is missing"],
  ])("bad chaos: %j", async (parameters, fault) => {
    await expectError(parameters, `error: --chaos: ${fault}; there are drop (per cent, 0 to 100), duplicate `);
  });

  it("a key of the wrong form, which it doesn't repeat", async () => {
    await expectError(
      ["--auth"],
      /^error: TOPICAST_KEY is no key of the application "default": it reads default\.\{keyId\}:\{secret\}, [^5]*$/,
      { TOPICAST_KEY: "default.k1:55555" },
    );
  });

  it("a host that is not this machine's", async () => {
    await expectError(
      ["--host", "192.0.2.1", "--service", fixture("bare")],
      /^error: Can't listen on 192\.0\.2\.1, port 4000: /,
    );
  });

  it("a broken serverless.yml", async () => {
    const folder = await mkdtemp(join(tmpdir(), "service-"));
    await writeFile(join(folder, "serverless.yml"), "provider: {}\nfunctions: { a: { handler: 1 } }\n");
    await expectError(["--service", folder], /^error: .*serverless\.yml: functions\.a\.handler: /);
  });

  it("a handler that can't be evaluated, such as with a wrong environment", async () => {
    await expectError(
      ["--service", fixture("warm")],
      `error: warm/missing can't start: the handler's file exports no function "missing"`,
    );
  });

  it("no service there", async () => {
    await expectError(["--service", "/nowhere"], /^error: \/nowhere\/serverless\.yml: can't be read/);
  });
});

describe("a signal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("closes sockets with 1001 and exits in time: %s", async (signal) => {
    const cli = runCli(["--port", "0", "--service", fixture("echo")]);
    const client = await connectClient(`ws://127.0.0.1:${await portOf(cli)}/echo`);
    const signalledAt = Date.now();
    cli.child.kill(signal);
    expect(await client.closed).toEqual({ code: 1001, reason: "Going away" });
    expect((await cli.exited).code).toBe(0);
    expect(Date.now() - signalledAt).toBeLessThan(EXIT_MS);
  });

  it("exits in time while a handler hangs and a client doesn't answer", async () => {
    const cli = runCli(["--port", "0", "--service", fixture("echo")]);
    const port = await portOf(cli);
    const hanging = await connectClient(`ws://127.0.0.1:${port}/echo`);
    const silent = await connectClient(`ws://127.0.0.1:${port}/echo`);
    hanging.send('{"action":"slow"}');
    hanging.send('{"action":"echo"}');
    await hanging.next();
    silent.socket.pause();
    const signalledAt = Date.now();
    cli.child.kill("SIGINT");
    expect((await cli.exited).code).toBe(0);
    expect(Date.now() - signalledAt).toBeLessThan(EXIT_MS);
    silent.socket.terminate();
  });
});
