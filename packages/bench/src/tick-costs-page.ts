import { dollarsOf } from "./prices.ts";
import { type Game, MESSAGES_PER_SECOND, PLAYERS, SLOWER } from "./tick-costs.ts";

/** Dollars of an hour, API Gateway's own and all others; and which part that is of the same game without ticks, which comes before it. */
function priceOf({ took, messages, tickMs = 0 }: Game) {
  const { counts, batches } = took;
  const each = <T extends object>(all: T) =>
    Object.fromEntries(Object.entries(all).map(([key, count]) => [key, count / messages])) as T;
  const { gateway, others } = dollarsOf({
    counts: each(counts),
    batches: batches / messages,
    tickSeconds: tickMs / 1_000,
  });
  const millionsAnHour = (PLAYERS * MESSAGES_PER_SECOND * 3_600) / 1_000_000;
  return { gateway: gateway * millionsAnHour, others: others * millionsAnHour };
}

function dollarsAnHour(game: Game): number {
  const { gateway, others } = priceOf(game);
  return gateway + others;
}

function partOf(game: Game, index: number, games: readonly Game[]): number | undefined {
  const plain = games.slice(0, index).findLast(({ tickMs }) => tickMs === undefined);
  return game.tickMs === undefined || plain === undefined ? undefined : dollarsAnHour(game) / dollarsAnHour(plain);
}

export function isOverTarget(game: Game, index: number, games: readonly Game[]): boolean {
  return (partOf(game, index, games) ?? 0) > (game.target ?? Number.POSITIVE_INFINITY);
}

const HEAD = [
  "| game | posts | read units | write units | SQS requests | batches | $ an hour: API Gateway | all else | together | of that without ticks | target |",
  "|---|---|---|---|---|---|---|---|---|---|---|",
];

function rowOf(game: Game, index: number, games: readonly Game[]): string {
  const { posts, readUnits, writeUnits, queueRequests } = game.took.counts;
  const { gateway, others } = priceOf(game);
  const percent = (part: number | undefined) => (part === undefined ? "" : `${(100 * part).toFixed(1)} %`);
  const dollars = [gateway, others, gateway + others].map((each) => each.toFixed(2));
  const target = game.target === undefined ? "" : `≤ ${percent(game.target)}`;
  const part = percent(partOf(game, index, games));
  return `| ${[game.name, posts, readUnits, writeUnits, queueRequests, game.took.batches, ...dollars, part, target].join(" | ")} |`;
}

export function tickSection(games: readonly Game[]): string {
  const [{ messages } = { messages: 0 }] = games;
  return `## Ticks

A game of ${PLAYERS} players, each of whom sends its position (some 60 bytes) ${MESSAGES_PER_SECOND} times a second, wants an ack and gets everyone's: what ${messages} messages consume, and from that an hour of it,
counted and assumed as above; a worker waits for a whole tick besides. The game was played ${SLOWER} times slower, with ticks ${SLOWER} times as long, because emulators on a small machine
don't keep up with it; what a tick gathers is the same.

${[...HEAD, ...games.map(rowOf)].join("\n")}

Most of what is left is each publish by itself: its message in, its ack and its two writes. Without an \`id\` there is no ack. What is ephemeral costs two writes in a topic with
ticks, and none in others.
`;
}
