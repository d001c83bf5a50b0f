import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { type Host, parseChaos } from "@topicast/local";
import type { Topic } from "@topicast/protocol";
import { startServices } from "./hosts.ts";
import { jsonLines, type Running, run, start } from "./topicast.ts";

jest.setTimeout(180_000);

let host: Host | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

const seqsOf = (stdout: string) => jsonLines(stdout).map(({ seq }) => seq);
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** Cuts whoever is subscribed, as an operator would over the management API. */
async function cutSubscribers({ url, ports }: Host, topic: string): Promise<number> {
  const query = { app: "default" as never, topic: topic as Topic, limit: 10, freshness: "fresh" } as const;
  const { subscribers } = await ports("message-topic").connections.subscribers(query);
  let cut = 0;
  for (const { id } of subscribers) {
    const { status } = await fetch(`${url}/message-topic/@connections/${encodeURIComponent(id)}`, { method: "DELETE" });
    // One that is gone already is still a subscriber until its `$disconnect` has run.
    expect([204, 410]).toContain(status);
    if (status === 204) cut += 1;
  }
  return cut;
}

/** Publishes `count` lines, and calls `between` after each. */
async function publishLines(publisher: Running, count: number, between: (line: number) => Promise<unknown>) {
  for (let line = 1; line <= count; line++) {
    publisher.child.stdin?.write(`${line}\n`);
    await between(line);
  }
  publisher.child.stdin?.end();
  expect(await publisher.exit).toMatchObject({ code: 0 });
}

describe("topicast subscribe", () => {
  it("misses and doubles nothing where its connection is cut again and again", async () => {
    host = await startServices(["message-topic"]);
    const { url } = host;
    const env = { TOPICAST_URL: url };
    const subscriber = start(["subscribe", "room/1", "--count", "60"], { env });
    await subscriber.noted("Subscribed");
    const publisher = start(["publish", "room/1", "-"], { env, stdin: "open" });
    let cuts = 0;
    await publishLines(publisher, 60, async (line) => {
      if (line % 10 === 5) cuts += await cutSubscribers(host as Host, "room/1");
    });

    const { code, stdout, stderr } = await subscriber.exit;
    expect({ code, seqs: seqsOf(stdout) }).toEqual({ code: 0, seqs: upTo(60) });
    expect(cuts).toBeGreaterThan(0);
    expect(stderr).toContain("Connected again.");
    expect(stderr).not.toContain("lost");
  });

  it("misses and doubles nothing over a bad network", async () => {
    const { faults } = parseChaos("drop=10,duplicate=20,delay=0..100,throttle=5,cut=1000..3000");
    host = await startServices(["message-topic"], { faults });
    const env = { TOPICAST_URL: host.url };
    const subscriber = start(["subscribe", "room/1", "--count", "100"], { env });
    await subscriber.noted("Subscribed");
    const publisher = start(["publish", "room/1", "-"], { env, stdin: "open" });
    await publishLines(publisher, 100, () => new Promise((resolve) => setImmediate(resolve)));

    const { code, stdout } = await subscriber.exit;
    expect({ code, seqs: seqsOf(stdout) }).toEqual({ code: 0, seqs: upTo(100) });
  });

  it("waits for a service that starts anew, and says what it lost", async () => {
    host = await startServices(["message-topic"]);
    const env = { TOPICAST_URL: host.url };
    const { port } = host;
    await run(["publish", "room/1", "before"], { env });
    const subscriber = start(["subscribe", "room/1", "--last", "1", "--count", "2"], { env });
    await subscriber.printed(1);
    await host.close();
    await subscriber.noted("trying again");
    host = await startServices(["message-topic"], { port });
    await subscriber.noted("are lost");
    await run(["publish", "room/1", "after"], { env });

    const { code, stdout } = await subscriber.exit;
    expect({ code, payloads: jsonLines(stdout).map(({ payload }) => payload) }).toEqual({
      code: 0,
      payloads: ["before", "after"],
    });
  });

  it("says that a topic was deleted, and stays subscribed", async () => {
    host = await startServices(["message-topic"]);
    const env = { TOPICAST_URL: host.url };
    await run(["publish", "room/1", "before"], { env });
    const subscriber = start(["subscribe", "room/1", "--last", "1", "--count", "2"], { env });
    await subscriber.printed(1);
    await fetch(`${host.url}/message-topic/topics/room/1`, { method: "DELETE" });
    await subscriber.noted("are lost");
    await run(["publish", "room/1", "after"], { env });

    expect(jsonLines((await subscriber.exit).stdout)).toMatchObject([
      { payload: "before" },
      { payload: "after", seq: 1 },
    ]);
  });
});
