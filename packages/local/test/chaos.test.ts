import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { connectRawClient, type RawClient, TEST_START, type TestClock, testClock } from "@topicast/testing";
import { parseChaos, StartError } from "../src/index.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { connectClient } from "./web-socket-client.ts";

/** Random numbers that a test chose; asking for one too many throws. */
function chosenNumbers(numbers: readonly number[]) {
  let used = 0;
  let onUse = () => {};
  return {
    random() {
      const number = numbers[used];
      if (number === undefined) throw new Error("no test chose another random number");
      used += 1;
      onUse();
      return number;
    },
    /** Resolves when so many were asked for. */
    used: (count: number) =>
      new Promise<void>((resolve) => {
        onUse = () => used >= count && resolve();
        onUse();
      }),
  };
}

describe("chaos is read", () => {
  it.each([
    ["drop=2", "drop 2 %"],
    ["drop=0.5", "drop 0.5 %"],
    ["throttle=100", "throttle 100 %"],
    ["duplicate=0", "duplicate 0 %"],
    ["delay=50", "delay 50 ms"],
    ["delay=50..400", "delay 50 to 400 ms"],
    ["delay=60000..60000", "delay 60000 ms"],
    ["cut=0..7200000", "cut 0 to 7200000 ms"],
    ["drop=2, delay=50..400,duplicate=5,throttle=1", "drop 2 %, delay 50 to 400 ms, duplicate 5 %, throttle 1 %"],
  ])("%s", (text, description) => {
    expect(parseChaos(text).description).toBe(description);
  });

  const PER_CENT = "is not per cent, 0 to 100;";
  const MS = "is not ms, 0 to 60000, or a range such as 50..400;";

  it.each([
    ["", "a fault is missing;"],
    ["drop=2,", "a fault is missing;"],
    ["=2", "a fault is missing;"],
    ["jitter=2", 'there is no fault "jitter";'],
    ["constructor=2", 'there is no fault "constructor";'],
    ["DROP=2", 'there is no fault "DROP";'],
    ["drop=2,delay=50,drop=3", "drop is there twice;"],
    ["drop", `"drop" ${PER_CENT}`],
    ["drop=", `"drop=" ${PER_CENT}`],
    ["drop=101", `"drop=101" ${PER_CENT}`],
    ["drop=-1", `"drop=-1" ${PER_CENT}`],
    ["drop=many", `"drop=many" ${PER_CENT}`],
    ["drop=1e1", `"drop=1e1" ${PER_CENT}`],
    ["drop=2%", `"drop=2%" ${PER_CENT}`],
    ["drop=1..2", `"drop=1..2" ${PER_CENT}`],
    ["drop=1=2", `"drop=1=2" ${PER_CENT}`],
    ["delay", `"delay" ${MS}`],
    ["delay=400..50", `"delay=400..50" ${MS}`],
    ["delay=-1", `"delay=-1" ${MS}`],
    ["delay=60001", `"delay=60001" ${MS}`],
    ["delay=50..", `"delay=50.." ${MS}`],
    ["delay=..50", `"delay=..50" ${MS}`],
    ["delay=0.5", `"delay=0.5" ${MS}`],
    ["delay=50ms", `"delay=50ms" ${MS}`],
    ["drop=\n", `"drop=" ${PER_CENT}`],
  ])("%j is refused, with all that there is", (text, fault) => {
    const all =
      " there are drop (per cent, 0 to 100), duplicate (per cent, 0 to 100), delay (ms, 0 to 60000, or a range such as 50..400), throttle (per cent, 0 to 100), cut (ms, 0 to 7200000, or a range such as 20000..60000), such as drop=2,duplicate=5,delay=50..400,throttle=1,cut=20000..60000";
    expect(() => parseChaos(text)).toThrow(new StartError(`--chaos: ${fault}${all}`));
  });
});

describe("on a bad network", () => {
  let host: FixtureHost;
  let recorder: Recorder;
  let clock: TestClock;
  let client: RawClient;
  let connectionId: string;
  let used: (count: number) => Promise<void>;

  beforeEach(() => {
    recorder = createRecorder();
    clock = testClock();
  });

  afterEach(() => host.close());

  /** Starts a host with these faults, which happen by these random numbers, and connects a client. */
  async function start(chaos: string, ...numbers: number[]): Promise<void> {
    const chosen = chosenNumbers(numbers);
    used = chosen.used;
    const { faults } = parseChaos(chaos, chosen.random);
    host = await startFixtures(["echo"], { clock, faults, ports: recorder.wrapPorts });
    client = await connectRawClient(host.webSocketUrl("echo"));
    connectionId = (await recorder.next()).requestContext.connectionId;
  }

  async function post(frame: unknown): Promise<number> {
    const path = `/echo/@connections/${encodeURIComponent(connectionId)}`;
    return (await fetch(`${host.url}${path}`, { method: "POST", body: JSON.stringify(frame) })).status;
  }

  /** Resolves when all that either side sent before has arrived, but for what is late. */
  async function flush(): Promise<void> {
    client.socket.ping();
    await once(client.socket, "pong");
  }

  it("drop loses posts that are answered 200", async () => {
    await start("drop=50", 0.49, 0.5);
    expect([await post("lost"), await post("there")]).toEqual([200, 200]);
    await client.count(1);
    expect(client.frames).toEqual(["there"]);
  });

  it("drop loses posts in process, too", async () => {
    await start("drop=50", 0.49, 0.5);
    const { gateway } = host.ports("echo");
    const targets = [{ id: connectionId as never, address: "", connectedAt: 0 }];
    for (const frame of ['"lost"', '"there"'])
      expect(await gateway.post(targets, frame)).toEqual({ gone: [], throttled: [], failed: [] });
    await client.count(1);
    expect(client.frames).toEqual(["there"]);
  });

  it("drop loses replies, but no requests", async () => {
    await start("drop=50", 0.49, 0.5);
    client.send({ action: "answer", value: { body: '"lost"' } });
    await used(1);
    client.send({ action: "answer", value: { body: '"there"' } });
    await client.count(1);
    expect(client.frames).toEqual(["there"]);
  });

  it("duplicate brings posts twice, but no replies", async () => {
    await start("duplicate=50", 0.49, 0.5);
    expect([await post("twice"), await post("once")]).toEqual([200, 200]);
    client.send({ action: "answer", value: { body: '"reply"' } });
    await client.frame((frame) => frame === "reply");
    expect(client.frames).toEqual(["twice", "twice", "once", "reply"]);
  });

  it("delay lets posts overtake one another", async () => {
    await start("delay=100..200", 0.5, 0);
    await post("slow");
    await post("fast");
    await clock.advance(99);
    await flush();
    expect(client.frames).toEqual([]);
    await clock.advance(50);
    await flush();
    expect(client.frames).toEqual(["fast"]);
    await clock.advance(1);
    await client.count(2);
    expect(client.frames).toEqual(["fast", "slow"]);
  });

  it("delay gives each copy of a doubled post a time of its own", async () => {
    await start("delay=100..200,duplicate=100", 0, 0, 1);
    await post("twice");
    await clock.advance(100);
    await flush();
    expect(client.frames).toEqual(["twice"]);
    await clock.advance(100);
    await client.count(2);
  });

  it("delay holds up requests and replies", async () => {
    await start("delay=0..100", 0.3, 0.7);
    client.send({ action: "echo" });
    await flush();
    await clock.advance(30);
    await used(2);
    await clock.advance(69);
    await flush();
    expect(client.frames).toEqual([]);
    await clock.advance(1);
    const [event] = await client.count(1);
    expect(event.requestContext.requestTimeEpoch).toBe(TEST_START + 30);
  });

  it("no close of the service overtakes a post", async () => {
    await start("delay=100", 0);
    await post("closing");
    const path = `/echo/@connections/${encodeURIComponent(connectionId)}`;
    expect((await fetch(`${host.url}${path}`, { method: "DELETE" })).status).toBe(204);
    await clock.advance(100);
    expect((await client.closed).code).toBe(1000);
    expect(client.frames).toEqual(["closing"]);
  });

  it("no close of the client overtakes its request", async () => {
    await start("delay=100", 0);
    client.send({ action: "throw" });
    await client.close();
    expect(await post("late")).toBe(410);
    await clock.advance(100);
    const { eventType, requestTimeEpoch } = (await recorder.next()).requestContext;
    expect([eventType, requestTimeEpoch]).toEqual(["DISCONNECT", TEST_START + 100]);
    expect(host.lines).toEqual([expect.stringContaining("no such thing")]);
  });

  it("throttle refuses posts with 429", async () => {
    await start("throttle=50", 0.49, 0.5);
    expect([await post("refused"), await post("there")]).toEqual([429, 200]);
    await client.count(1);
    expect(client.frames).toEqual(["there"]);
  });

  it("throttle refuses posts in process, too", async () => {
    await start("throttle=50", 0.49);
    const target = { id: connectionId as never, address: "", connectedAt: 0 };
    const failures = await host.ports("echo").gateway.post([target], "refused");
    expect(failures).toEqual({ gone: [], throttled: [target], failed: [] });
  });

  it("cut breaks a connection when its time is over", async () => {
    await start("cut=1000..3000", 0.5);
    await clock.advance(1_999);
    await flush();
    await clock.advance(1);
    expect((await client.closed).code).toBe(1006);
    expect((await recorder.next()).requestContext).toMatchObject({ disconnectStatusCode: 1006 });
    expect(await post("late")).toBe(410);
  });

  it("nothing happens where every amount is 0", async () => {
    await start("drop=0,duplicate=0,delay=0,throttle=0", ...Array<number>(7).fill(0.5));
    expect(await post("there")).toBe(200);
    client.send({ action: "answer", value: { body: '"reply"' } });
    await client.count(2);
    expect(client.frames).toEqual(["there", "reply"]);
  });
});

it("a service that posts over the wire meets the same network", async () => {
  // Of each post first whether it is throttled, then whether it is dropped.
  const { random } = chosenNumbers([0.49, 0.5, 0.49, 0.5, 0.5]);
  const { faults } = parseChaos("throttle=50,drop=50", random);
  let of = "";
  const handshake = async (_service: string, id: string) => {
    of = id;
  };
  const host = await startFixtures(["wire"], { wire: {}, faults: { ...faults, handshake } });
  const client = await connectClient(host.webSocketUrl("wire"));
  const frames: string[] = [];
  client.socket.on("message", (data) => frames.push(data.toString()));
  const post = () => fetch(`${host.url}/wire/ask`, { method: "POST", body: JSON.stringify({ what: "post", of }) });
  expect(await (await post()).json()).toEqual({ error: "LimitExceededException" });
  expect(await (await post()).json()).toEqual({ output: {} });
  expect(await (await post()).json()).toEqual({ output: {} });
  await host.close();
  await client.closed;
  expect(frames).toEqual(["posted"]);
});
