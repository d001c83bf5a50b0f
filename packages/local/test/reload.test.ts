import { copyFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aJob } from "@topicast/testing";
import { StartError, startHost } from "../src/index.ts";
import { type FixtureHost, fixture, startFixtures } from "./fixture-host.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { connectClient, type WebSocketClient } from "./web-socket-client.ts";

let host: FixtureHost;
let recorder: Recorder;
let client: WebSocketClient;

beforeEach(async () => {
  recorder = createRecorder();
  const env = { GREETING: "hello" };
  host = await startFixtures(["echo", "settings"], { env, ports: recorder.wrapPorts });
  client = await connectClient(host.webSocketUrl("settings"));
});

afterEach(() => host.close());

async function ask(action: string, by = client): Promise<string> {
  by.send(JSON.stringify({ action }));
  return by.next();
}

describe("a reload", () => {
  it("gives connected clients the new settings, and says what has changed", async () => {
    expect(await ask("greet")).toBe("hello");
    expect(await host.reload({ env: { GREETING: "hi", OTHER: "1" } })).toEqual({ changed: ["GREETING", "OTHER"] });
    expect(await ask("greet")).toBe("hi");
    expect(await ask("greet", await connectClient(host.webSocketUrl("settings")))).toBe("hi");
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it("keeps what isn't given", async () => {
    await host.reload({ env: { GREETING: "hi" } });
    expect(await host.reload({ environment: { OTHER: "1" } })).toEqual({ changed: ["OTHER"] });
    expect(await ask("greet")).toBe("hi");
    expect(await host.reload()).toEqual({ changed: [] });
  });

  it("lets what runs end with the settings that it began with", async () => {
    const release = recorder.hold();
    const late = ask("late");
    await recorder.next();
    await host.reload({ env: { GREETING: "hi" } });
    expect(await ask("greet", await connectClient(host.webSocketUrl("settings")))).toBe("hi");
    release();
    expect(await late).toBe("hello");
    expect(await ask("late")).toBe("hi");
  });

  it("loses no job: one that runs ends, one that waits runs with the new settings", async () => {
    const { queue } = host.ports("settings");
    const release = recorder.hold();
    // As many at once as the event source lets run, and one that waits.
    await queue.send(Array.from({ length: 11 }, () => aJob()));
    for (let job = 0; job < 10; job += 1) expect(await recorder.next()).toBe("hello");
    await host.reload({ env: { GREETING: "hi" } });
    release();
    expect(await recorder.next()).toBe("hi");
    expect(queue.deadLetters).toEqual([]);
  });

  it("goes on as before where a setting is wrong, in every service", async () => {
    const wrong = host.reload({ env: { GREETING: "" }, environment: { OTHER: "1" } });
    await expect(wrong).rejects.toThrow(StartError);
    await expect(wrong).rejects.toThrow("settings/greet can't start: GREETING must be set.");
    expect(await ask("greet")).toBe("hello");
    expect(await host.reload({ env: { GREETING: "hi" } })).toEqual({ changed: ["GREETING"] });
  });

  it("takes its turn: the one that was asked for last holds", async () => {
    const greetings = ["", "hi", "", "good evening"];
    await Promise.allSettled(greetings.map((GREETING) => host.reload({ env: { GREETING } })));
    expect(await ask("greet")).toBe("good evening");
  });

  it("keeps the store in this process, out of which nothing would come along", async () => {
    const moved = host.reload({ environment: { STORE: "redis" } });
    await expect(moved).rejects.toThrow("Another store needs a restart");
    expect(await ask("greet")).toBe("hello");
  });

  it("takes another store over the wire", async () => {
    const other = await startFixtures(["wire"], { wire: {} });
    const ask = async () => {
      const response = await fetch(`${other.url}/wire/environment`);
      return ((await response.json()) as { environment: Record<string, string> }).environment.STORE;
    };
    expect(await ask()).toBe("dynamodb");
    await other.reload({ environment: { STORE: "dynamodb+redis" } });
    expect(await ask()).toBe("dynamodb+redis");
    await other.close();
  });

  it("takes a handler's new code", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "service-")), "settings");
    await mkdir(folder);
    await copyFile(join(fixture("settings"), "serverless.yml"), join(folder, "serverless.yml"));
    const write = (body: string) =>
      writeFile(
        join(folder, "handlers.ts"),
        `const say = async () => ({ statusCode: 200, body: "${body}" }); export { say as greet, say as greetLate, say as work };`,
      );
    await write("old code");
    const other = await startHost({ services: [folder], port: 0 });
    const guest = await connectClient(`ws://127.0.0.1:${other.port}/settings`);
    expect(await ask("greet", guest)).toBe("old code");
    await write("new code");
    await other.reload();
    expect(await ask("greet", guest)).toBe("new code");
    await other.close();
  });
});
