import { setTimeout as pause } from "node:timers/promises";
import { connectRawClient, type RawClient } from "@topicast/testing/raw-client";
import type { Publish } from "./prices.ts";
import { countedBetween, quietCounts, type WireHost } from "./wire-counts.ts";

export const PLAYERS = 20;
/** Of each player. */
export const MESSAGES_PER_SECOND = 10;

/**
 * The game is played so many times slower, ticks included, because emulators on a small machine don't keep up with it: what each tick gathers, and so
 * everything that is counted, stays the same.
 */
export const SLOWER = 10;
/** Enough that a tick more or less at either end says little. */
const MESSAGES_EACH = 30;
const MAX_ATTEMPTS = 5;
/** Longer than the longest tick, and a worker's share of it. */
const QUIET_MS = 2_500;

const TICKS_MS = [50, 100];

/** As `TOPIC_RULES` has them. */
export const TICK_RULES = JSON.stringify(
  TICKS_MS.map((tickMs) => ({ match: `tick-${tickMs}/*`, tickMs: tickMs * SLOWER })),
);

export interface Game {
  readonly name: string;
  /** What all messages took. */
  readonly took: Publish;
  readonly messages: number;
  /** Absent where deliveries leave at once. */
  readonly tickMs?: number;
  /** The part of the cost without ticks that it may be. */
  readonly target?: number;
}

const GAMES = [
  { name: "numbered, at once", topic: "plain/numbered", fields: {} },
  { name: "numbered, ticks of 50 ms", topic: "tick-50/numbered", fields: {}, tickMs: 50, target: 0.25 },
  { name: "numbered, ticks of 100 ms", topic: "tick-100/numbered", fields: {}, tickMs: 100, target: 0.2 },
  { name: "`latest`, at once", topic: "plain/latest", fields: { latest: "position" } },
  {
    name: "`latest`, ticks of 50 ms",
    topic: "tick-50/latest",
    fields: { latest: "position" },
    tickMs: 50,
    target: 0.25,
  },
  {
    name: "`latest`, ticks of 100 ms",
    topic: "tick-100/latest",
    fields: { latest: "position" },
    tickMs: 100,
    target: 0.2,
  },
];

/** Plays each game on the wire: every player sends its position, wants an ack, and gets everyone's. Throws where somebody misses one. */
export async function playGames(host: WireHost, url: string): Promise<Game[]> {
  const games: Game[] = [];
  for (const { name, topic, fields, ...about } of GAMES) {
    const players = await connectPlayers(url, topic);
    const before = await quietCounts(host, QUIET_MS);
    await play(players, { topic, ...fields }, "tickMs" in about);
    const took = countedBetween(before, await quietCounts(host, QUIET_MS));
    const messages = PLAYERS * MESSAGES_EACH;
    const acks = players.flatMap(({ frames }) =>
      frames.filter(({ type, action }) => type === "ack" && action === "publish"),
    ).length;
    if (acks < messages) throw new Error(`${messages - acks} messages of the game were not acknowledged.`);
    for (const player of players) checkReceived(player, "latest" in fields && "tickMs" in about ? 1 : messages);
    games.push({ name, took, messages, ...about });
    for (const player of players) player.vanish();
  }
  return games;
}

async function connectPlayers(url: string, topic: string): Promise<RawClient[]> {
  const players: RawClient[] = [];
  for (let i = 0; i < PLAYERS; i++) players.push(await connectRawClient(url));
  for (const player of players) await player.request({ action: "subscribe", topic });
  return players;
}

/** Players take turns. Where deliveries leave at once, it says nothing how fast: then as fast as the machine goes. */
async function play(players: readonly RawClient[], message: object, isPaced: boolean): Promise<void> {
  const turnMs = (1_000 / MESSAGES_PER_SECOND / PLAYERS) * SLOWER;
  const beganAt = Date.now();
  const acks: Promise<unknown>[] = [];
  for (let turn = 0; turn < PLAYERS * MESSAGES_EACH; turn++) {
    const payload = { x: 12.25 + turn, y: 7.5, angle: 1.5708, health: 100 };
    const player = players[turn % PLAYERS] as RawClient;
    const ack = publish(player, { action: "publish", ...message, payload });
    acks.push(ack);
    if (isPaced) await pause(Math.max(0, beganAt + (turn + 1) * turnMs - Date.now()));
    else await ack;
  }
  await Promise.all(acks);
}

/** What a busy machine's emulators don't answer in time is sent again, and counted as well. */
async function publish(player: RawClient, request: object): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if ((await player.request(request)).type === "ack") return;
  }
}

function checkReceived({ frames }: RawClient, least: number): void {
  const received = frames.filter(({ type }) => type === "messages").flatMap(({ messages }) => messages).length;
  if (received < least) throw new Error(`A player got ${received} of ${least} messages.`);
}
