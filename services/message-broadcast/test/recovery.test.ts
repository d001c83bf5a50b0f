import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { HostFaults, HostOptions } from "@topicast/local";
import { connectRawClient, type Frame, fewAtATime, type RawClient } from "@topicast/testing";
import { type BroadcastHost, startBroadcastHost } from "./broadcast-host.ts";

// Emulators of DynamoDB and SQS are slower than memory.
jest.setTimeout(300_000);

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
/** Messages that a member may be behind before its connection holds for once: how far it comes is then no matter of the machine's speed. */
const MOST_BEHIND = 50;
/** Before what isn't there yet is looked for again: who asks an emulator again at once keeps it late. */
const AGAIN_MS = 100;
/** A message is found however long a busy machine takes. */
const TOPIC_RULES = '[{"match":"*","historySeconds":3600}]';

async function comeBack(query: string): Promise<RawClient> {
  for (;;) {
    try {
      return await join(query);
    } catch (error) {
      if (!(error as Error).message.endsWith("503")) throw error;
      await pause(AGAIN_MS);
    }
  }
}

/**
 * Somebody in a room whose connection breaks again and again. It comes back with the last place up to which it has everything, and believes what
 * `recovery` says: what a replay left out it never asks for again.
 */
function member(epoch: string, faults: { isOver: boolean }) {
  const texts = new Set<unknown>();
  const numbers = new Set<number>();
  let place = 0;
  let breaks = 0;
  let current: RawClient | undefined;

  function take({ type, data, seq, _seq, recovered }: Frame): void {
    if (type === "recovery") {
      expect(recovered).toBe(true);
      place = Math.max(place, seq);
    } else if (_seq !== undefined) {
      texts.add(data);
      numbers.add(_seq);
    }
    while (numbers.has(place + 1)) place += 1;
  }

  /** A frame may be taken twice. */
  function look(): void {
    for (const frame of current?.frames ?? []) take(frame);
  }

  async function stay(): Promise<void> {
    for (let isLast = false; !isLast; ) {
      isLast = faults.isOver;
      const client = await comeBack(`?since=${epoch}:${place}`);
      current = client;
      if (isLast) await client.frame(isRecovery);
      // Who joined while it came to an end has nobody left to break its connection.
      else if (!faults.isOver) await client.closed;
      look();
      client.vanish();
    }
  }

  /** Resolves once it is at most so far behind. */
  async function isNear(seq: number): Promise<void> {
    for (look(); place < seq - MOST_BEHIND; look()) await pause(AGAIN_MS);
  }

  return {
    stay,
    isNear,
    texts,
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
  await start({ ...backend, faults, environment: { TOPIC_RULES } });
  const first = await join();
  first.send("first");
  const [{ _epoch }] = await first.count(1, isMessage);
  const breaking = { isOver: false };
  const members = Array.from({ length: CLIENTS }, () => member(_epoch, breaking));
  let posts = 0;
  faults.request = () => (++posts % 20 === 0 ? "throttled" : undefined);
  const staying = Promise.all(members.map(({ stay }) => stay()));
  const published = Array.from({ length: MESSAGES }, (_each, index) => `text ${index}`);
  await fewAtATime(published, async (body, index) => {
    const unlucky = members[index % CLIENTS];
    await unlucky?.isNear(index);
    unlucky?.drop();
    for (;;) {
      const headers = { "idempotency-key": `k${index}` };
      const { status } = await fetch(`${host.httpUrl}/messages`, { method: "POST", body, headers });
      if (status === 202) break;
      await pause(AGAIN_MS);
    }
  });
  breaking.isOver = true;
  delete faults.request;
  for (const each of members) each.drop();
  await staying;
  for (const { texts, breaks } of members) {
    expect([...texts].sort()).toEqual(["first", ...published].sort());
    expect(breaks).toBeGreaterThan(MESSAGES / CLIENTS / 2);
  }
});
