import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { type Cli, endAll, portOf, runCli } from "./cli-process.ts";
import { fixture } from "./fixture-host.ts";
import { connectClient } from "./web-socket-client.ts";

// Each starts the command.
jest.setTimeout(60_000);

const MESSAGE_TOPIC = join(__dirname, "../../../services/message-topic");

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), "settings-")), "settings.env");
});
afterEach(endAll);

/** Resolves with what the command has printed so far when that was done for the `time`th time. */
async function reload(cli: Cli, text: string, time: number): Promise<string> {
  await writeFile(file, text);
  cli.child.kill("SIGHUP");
  return cli.printed("Reloaded ", time);
}

it("settings are read from --settings, again with SIGHUP, and are behind those of the environment", async () => {
  await writeFile(file, "GREETING=hello # to all\nPORT=0\nexport OTHER='1'\nGIVEN=file\n");
  const cli = runCli(["--settings", file, "--service", fixture("settings")], { GIVEN: "process", OTHER: "" });
  const client = await connectClient(`ws://127.0.0.1:${await portOf(cli)}/settings`);
  async function greet(): Promise<string> {
    client.send('{"action":"greet"}');
    return client.next();
  }
  expect(await greet()).toBe("hello");
  const output = await reload(cli, "GREETING=hi\nGIVEN=new", 1);
  expect(output).toMatch(/^Reloaded settings; changed: GREETING, OTHER, PORT\.$/m);
  expect(await greet()).toBe("hi");
});

it("a wrong setting is told of at SIGHUP, and all goes on as before", async () => {
  await writeFile(file, "GREETING=hello");
  const cli = runCli(["--settings", file, "--port", "0", "--service", fixture("settings")]);
  const client = await connectClient(`ws://127.0.0.1:${await portOf(cli)}/settings`);
  await writeFile(file, "GREETING=");
  cli.child.kill("SIGHUP");
  const line =
    "error: nothing was reloaded, all goes on as before: settings/greet can't start: GREETING must be set.\n";
  await cli.complained(line);
  client.send('{"action":"greet"}');
  expect(await client.next()).toBe("hello");
  cli.child.kill("SIGINT");
  expect(await cli.exited).toMatchObject({ code: 0, stderr: line });
});

it("a file that isn't there, or a wrong port in it, gives one line and a status of 1", async () => {
  const missing = await runCli(["--settings", file, "--port", "0", "--service", fixture("settings")]).exited;
  expect(missing).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^error: --settings: ENOENT.*\n$/),
  });
  await writeFile(file, "PORT=many");
  const wrong = await runCli(["--settings", file, "--service", fixture("settings")]).exited;
  const line = 'error: --settings: PORT is "many". A port is a number from 0 to 65535.\n';
  expect(wrong).toMatchObject({ code: 1, stdout: "", stderr: line });
});

it("nothing is lost while clients publish and the host is reloaded five times", async () => {
  await writeFile(file, "FANOUT_INLINE_MAX=16");
  const cli = runCli(["--settings", file, "--port", "0", "--service", MESSAGE_TOPIC], {
    MESSAGES_PER_SECOND_MAX: "100000",
  });
  const url = `ws://127.0.0.1:${await portOf(cli)}/message-topic`;
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectClient(url)));
  const received = clients.map(() => new Set<number>());
  const acknowledged = new Set<number>();
  let onFrame: () => unknown = () => undefined;
  clients.forEach(({ socket }, at) => {
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data));
      for (const { seq } of frame.messages ?? []) received[at]?.add(seq);
      onFrame();
    });
  });
  const answers = (socket: (typeof clients)[number]["socket"], id: string) =>
    new Promise<{ readonly type: string; readonly seq: number }>((resolve) => {
      socket.on("message", function listen(data) {
        const frame = JSON.parse(String(data));
        if (frame.id !== id) return;
        socket.off("message", listen);
        resolve(frame);
      });
    });
  await Promise.all(
    clients.map(({ socket }) => {
      socket.send('{"action":"subscribe","topic":"room/1","id":"s"}');
      return answers(socket, "s");
    }),
  );

  let isOver = false;
  /** One after the other, so that something is always under way. */
  async function publish({ socket }: (typeof clients)[number]): Promise<void> {
    for (let count = 0; !isOver; count += 1) {
      const id = `p${count}`;
      socket.send(JSON.stringify({ action: "publish", topic: "room/1", payload: count, id }));
      const { type, seq } = await answers(socket, id);
      expect(type).toBe("ack");
      acknowledged.add(seq);
    }
  }
  const publishing = Promise.all(clients.map(publish));
  // By turns those who publish post, and workers do.
  for (let time = 1; time <= 5; time += 1) await reload(cli, `FANOUT_INLINE_MAX=${time % 2 === 0 ? 16 : 0}`, time);
  isOver = true;
  await publishing;

  expect(acknowledged.size).toBeGreaterThan(100);
  const hasAll = () => received.every((seqs) => [...acknowledged].every((seq) => seqs.has(seq)));
  await new Promise<void>((resolve) => {
    onFrame = () => hasAll() && resolve();
    onFrame();
  });
  for (const { socket } of clients) expect(socket.readyState).toBe(socket.OPEN);
  cli.child.kill("SIGINT");
  await Promise.all(clients.map(({ socket }) => once(socket, "close")));
  expect(await cli.exited).toMatchObject({ code: 0, stderr: "" });
});
