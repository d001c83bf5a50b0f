import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type Host, type HostOptions, startHost } from "@topicast/local";
import { fewAtATime } from "@topicast/testing/few-at-a-time";
import { connectRawClient, type Frame, type RawClient } from "@topicast/testing/raw-client";
import { formatSpread, spreadOf } from "./statistics.ts";

const SERVICE = fileURLToPath(new URL("../../../services/message-topic", import.meta.url));

/** Missed messages, and bytes of each payload. */
const SCENARIOS = [10, 100, 1_000].flatMap((missed) => [200, 1_000].map((bytes) => ({ missed, bytes })));
const BACKENDS: readonly { readonly name: string; readonly options: Partial<HostOptions> }[] = [
  { name: "memory", options: {} },
  { name: "DynamoDB", options: { wire: {} } },
];

interface Replay {
  readonly ms: number;
  readonly pages: number;
  /** Undefined where nothing counts them. */
  readonly readUnits: number | undefined;
}

/** What it costs a client to come back: the time from its `subscribe` to the last missed message, the requests, and the read units. */
export async function benchRecovery(runs: number): Promise<void> {
  process.stdout.write("| store | missed | bytes each | ms | requests | read units |\n|---|---|---|---|---|---|\n");
  for (const { name, options } of BACKENDS) {
    const host = await startHost({ services: [SERVICE], port: 0, ...options });
    try {
      for (const scenario of SCENARIOS) process.stdout.write(`| ${name} | ${await measure(host, scenario, runs)} |\n`);
    } finally {
      await host.close();
    }
  }
}

async function measure(host: Host, scenario: (typeof SCENARIOS)[number], runs: number): Promise<string> {
  const { missed, bytes } = scenario;
  const topic = `bench/${missed}/${bytes}`;
  const publisher = await connectRawClient(urlOf(host));
  const before: Frame = await publisher.request({ action: "subscribe", topic });
  await publish(publisher, topic, scenario);
  const replays: Replay[] = [];
  // One more than is counted: the first one warms the functions up.
  for (let run = 0; run <= runs; run++)
    replays.push(await replay(host, topic, { epoch: before.epoch, seq: 0 }, missed));
  publisher.vanish();
  const counted = replays.slice(1);
  const [{ pages, readUnits } = { pages: 0, readUnits: undefined }] = counted;
  const ms = formatSpread(spreadOf(counted.map((each) => each.ms)), 1);
  return [missed, bytes, ms, pages, readUnits ?? "–"].join(" | ");
}

/** Each message by itself, as players do, and of text that deflates little. */
async function publish(publisher: RawClient, topic: string, { missed, bytes }: (typeof SCENARIOS)[number]) {
  const payloads = Array.from({ length: missed }, () =>
    randomBytes(bytes)
      .toString("base64")
      .slice(0, bytes - 2),
  );
  await fewAtATime(payloads, async (payload) => {
    const ack = await publisher.request({ action: "publish", topic, payload });
    if (ack.type !== "ack") throw new Error(`A publish was answered ${JSON.stringify(ack)}.`);
  });
}

/** As a client does: `subscribe` with its place, then `history` until nothing more follows. */
async function replay(host: Host, topic: string, since: Frame, missed: number): Promise<Replay> {
  const client = await connectRawClient(urlOf(host));
  const unitsBefore = host.wire?.counts().readUnits;
  const startedAt = performance.now();
  let page = await client.request({ action: "subscribe", topic, since });
  let got = page.messages.length;
  let pages = 1;
  while (page.more) {
    const after = { epoch: page.epoch, seq: page.messages.at(-1).seq };
    page = await client.request({ action: "history", topic, since: after, limit: 1_000 });
    got += page.messages.length;
    pages += 1;
  }
  const ms = performance.now() - startedAt;
  if (!page.recovered || got !== missed) throw new Error(`Of ${missed} messages ${got} came back.`);
  client.vanish();
  const readUnits = unitsBefore === undefined ? undefined : (host.wire?.counts().readUnits ?? 0) - unitsBefore;
  return { ms, pages, readUnits };
}

function urlOf({ port }: Host): string {
  return `ws://127.0.0.1:${port}/message-topic`;
}
