import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { connectRawClient, type RawClient, type RedisServer, startRedisServer } from "@topicast/testing";
import { type Cli, endAll, portOf, runCli } from "./cli-process.ts";
import { fixture } from "./fixture-host.ts";

// Each starts the command, some twice, and one waits until connections aren't young any more.
jest.setTimeout(120_000);

const MESSAGE_TOPIC = join(__dirname, "../../../services/message-topic");
const TOPIC = "room/1";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterEach(endAll);
afterAll(() => redis.stop());

function startHost(): Cli {
  const parameters = ["--store", "redis", "--port", "0", "--service", MESSAGE_TOPIC];
  return runCli(parameters, { REDIS_URL: redis.url, MESSAGES_PER_SECOND_MAX: "100000" });
}

async function subscribe(port: number, topic = TOPIC): Promise<RawClient> {
  const client = await connectRawClient(`ws://127.0.0.1:${port}/message-topic`);
  await client.request({ action: "subscribe", topic });
  return client;
}

async function subscribersAt(port: number, topic = TOPIC): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/message-topic/topics/${topic}`);
  return ((await response.json()) as { subscribers: number }).subscribers;
}

describe("npm start -- --store redis", () => {
  it("goes on when another host is killed while it publishes, and forgets the connections that died with it", async () => {
    const [here, there] = [startHost(), startHost()];
    const [port, other] = [await portOf(here), await portOf(there)];
    const mine = await subscribe(port);
    const yours = await Promise.all(Array.from({ length: 5 }, () => subscribe(other)));
    expect(await subscribersAt(port)).toBe(6);

    const publish = (payload: unknown) => mine.request({ action: "publish", topic: TOPIC, payload });
    await publish("before");
    await Promise.all(yours.map((client) => client.count(1, ({ type }) => type === "messages")));
    let published = 1;
    there.child.kill("SIGKILL");
    // While nobody can say whether a young connection is gone or not yet there, its messages wait.
    while ((await subscribersAt(port)) > 1) {
      expect(await publish("meanwhile")).toMatchObject({ type: "ack" });
      published += 1;
    }
    expect(await publish("after")).toMatchObject({ type: "ack" });
    await mine.frame(({ messages }) => messages?.[0].payload === "after");
    const seqs = mine.frames.flatMap(({ messages = [] }) => messages.map(({ seq }: { seq: number }) => seq));
    expect([...new Set(seqs)]).toHaveLength(published + 1);
    for (const client of yours) await client.closed;

    here.child.kill("SIGINT");
    await once(mine.socket, "close");
    expect(await here.exited).toMatchObject({ code: 0, stderr: "" });
  });

  it("waits for a host that hangs: publishers have their answers, and its clients get everything when it goes on", async () => {
    const [here, there] = [startHost(), startHost()];
    const [port, other] = [await portOf(here), await portOf(there)];
    const topic = "room/2";
    const [mine, yours] = [await subscribe(port, topic), await subscribe(other, topic)];
    there.child.kill("SIGSTOP");
    const payloads = [1, 2, 3, 4, 5];
    for (const payload of payloads) {
      expect(await mine.request({ action: "publish", topic, payload })).toMatchObject({ type: "ack" });
    }
    expect(await subscribersAt(port, topic)).toBe(2);
    there.child.kill("SIGCONT");
    for (const payload of payloads) await yours.frame(({ messages }) => messages?.[0].payload === payload);
    expect(await here.complained("answers again")).toContain(
      `The host at http://127.0.0.1:${other}/message-topic doesn't answer: `,
    );
  });

  it("says where things are, and no password", async () => {
    const cli = startHost();
    const output = await cli.printed("Ctrl-C");
    expect(output).toMatch(/^Connections, topics and applications are in the Redis at REDIS_URL, /m);
    expect(output).not.toContain(redis.url);
  });

  it.each([
    [
      "no Redis",
      "redis",
      "redis://default:secret@127.0.0.1:1",
      /^error: Redis at 127\.0\.0\.1:1 can't be reached: .*ECONNREFUSED/,
    ],
    ["no URL of one", "redis", "http://default:secret@127.0.0.1", /^error: A URL of Redis /],
    ["no such store", "dynamodb", "", /^error: There is no store "dynamodb" without --aws, only memory and redis$/],
  ])("gives one line and a status of 1 where there is %s", async (_what, store, REDIS_URL, line) => {
    const parameters = ["--store", store, "--port", "0", "--service", fixture("bare")];
    const { code, stdout, stderr } = await runCli(parameters, { REDIS_URL }).exited;
    expect(stderr.trimEnd()).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("secret");
    expect([code, stdout]).toEqual([1, ""]);
  });
});
