import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { HostFaults, HostOptions } from "@topicast/local";
import { connectRawClient, type Frame, fewAtATime, type RawClient } from "@topicast/testing";
import { type BroadcastHost, startBroadcastHost } from "./broadcast-host.ts";

// Emulators of DynamoDB and SQS are slower than memory.
jest.setTimeout(120_000);

let host: BroadcastHost;
afterEach(() => host.close());

async function start(options: Partial<HostOptions> = {}) {
  host = await startBroadcastHost(options);
}

const join = (query = "") => connectRawClient(`${host.wsUrl}${query}`);
const isRecovery = ({ type }: Frame) => type === "recovery";
const isMessage = ({ _now }: Frame) => _now !== undefined;

/** The same service over the drivers of a laptop and over those of AWS. */
const BACKENDS: readonly [string, Partial<HostOptions>][] = [
  ["in memory", {}],
  ["over the wire", { wire: { visibilityTimeoutSeconds: 5 } }],
];

describe.each(BACKENDS)("a client that comes back to its room: %s", (_, backend) => {
  async function say(...texts: readonly string[]) {
    const speaker = await join();
    for (const [index, text] of texts.entries()) {
      speaker.send(text);
      await speaker.count(index + 1, isMessage);
    }
    return speaker;
  }

  it("gets what it missed, oldest first, and is told how that went", async () => {
    await start(backend);
    const speaker = await say("one", "two", "three");
    const [{ _epoch }] = speaker.frames;
    const again = await join(`?since=${_epoch}:1`);
    const recovery = await again.frame(isRecovery);
    expect(recovery).toEqual({ type: "recovery", epoch: _epoch, seq: 3, recovered: true });
    const missed = again.frames.filter(isMessage);
    expect(missed.map(({ data, _seq, _me }) => [data, _seq, _me])).toEqual([
      ["two", 2, false],
      ["three", 3, false],
    ]);
    speaker.send("four");
    expect(await again.frame(({ _seq }) => _seq === 4)).toMatchObject({ data: "four" });
  });

  it("is told where that can't be had", async () => {
    await start(backend);
    const { frames } = await say("one");
    const again = await join("?since=another:7");
    const recovery = { type: "recovery", epoch: frames[0]?._epoch, seq: 1, recovered: false };
    expect(await again.frame(isRecovery)).toEqual(recovery);
    expect(again.frames.filter(isMessage)).toEqual([]);
  });

  it("gets all of it though posts fail for a while", async () => {
    const faults: HostFaults = {};
    await start({ ...backend, faults });
    const { frames } = await say("one", "two", "three");
    let posts = 0;
    faults.request = () => (++posts === 2 || posts === 3 ? "throttled" : undefined);
    const again = await join(`?since=${frames[0]?._epoch}:0`);
    expect(await again.frame(isRecovery)).toMatchObject({ recovered: true, seq: 3 });
    expect(new Set(again.frames.filter(isMessage).map(({ _seq }) => _seq))).toEqual(new Set([1, 2, 3]));
  });
});

const CLIENTS = 10;
const MESSAGES = 200;

/** Somebody in a room whose connection breaks again and again, and who comes back with the last place without a gap. */
function member(epoch: string, faults: { isOver: boolean }) {
  const numbers = new Set([0]);
  let place = 0;
  let breaks = 0;
  let current: RawClient | undefined;
  function take({ _seq }: Frame): void {
    if (_seq !== undefined) numbers.add(_seq);
    while (numbers.has(place + 1)) place += 1;
  }
  async function stay(): Promise<void> {
    while (place < MESSAGES) {
      current = await join(`?since=${epoch}:${place}`);
      current.socket.on("message", (data) => take(JSON.parse(data.toString())));
      // When nothing breaks any more, what is there when `recovery` comes is all.
      const end = faults.isOver ? current.frame(isRecovery) : current.closed;
      await end.catch(() => undefined);
      for (const frame of current.frames) take(frame);
      current.vanish();
    }
  }
  return {
    stay,
    numbers,
    get breaks() {
      return breaks;
    },
    drop() {
      breaks += 1;
      current?.vanish();
    },
  };
}

it.each(BACKENDS)("nobody misses anything though posts fail and connections break: %s", async (_, backend) => {
  const faults: HostFaults = {};
  await start({ ...backend, faults });
  const [first] = [await join()];
  first.send("1");
  const [{ _epoch }] = await first.count(1, isMessage);
  const breaking = { isOver: false };
  const members = Array.from({ length: CLIENTS }, () => member(_epoch, breaking));
  let posts = 0;
  faults.request = () => (++posts % 20 === 0 ? "throttled" : undefined);
  const staying = Promise.all(members.map(({ stay }) => stay()));
  await fewAtATime(Array.from({ length: MESSAGES - 1 }), async (_each, index) => {
    members[index % CLIENTS]?.drop();
    for (let status = 0; status !== 202; ) {
      const headers = { "idempotency-key": `k${index}` };
      ({ status } = await fetch(`${host.httpUrl}/messages`, { method: "POST", body: String(index), headers }));
    }
  });
  breaking.isOver = true;
  delete faults.request;
  for (const each of members) each.drop();
  await staying;
  for (const { numbers, breaks } of members) {
    expect(Math.max(...numbers)).toBeGreaterThanOrEqual(MESSAGES);
    expect(breaks).toBeGreaterThan(MESSAGES / CLIENTS / 2);
  }
});
