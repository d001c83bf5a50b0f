import type { Message } from "@topicast/protocol";
import { payloadOf } from "./journal.ts";
import { retentionOf, TOPICS } from "./topics.ts";
import type { Kept } from "./watch.ts";
import type { World } from "./world.ts";

const READING_MS = 1_000;
const LAST = 100;

/** What a backend reads of each topic at rest: exactly the messages that the topic's rule keeps, in order. */
export async function checkHistory(world: World): Promise<string[]> {
  const answers = TOPICS.map((topic) => read(world, topic));
  await world.time.advance(READING_MS);
  return (await Promise.all(answers)).flat();
}

async function read({ api, time, watch, journal }: World, topic: string): Promise<string[]> {
  const askedAt = time.now();
  const answer = await api.http("GET", `${topic}/messages`, { query: { last: String(LAST) } });
  if (answer?.status !== 200) return [`the history of ${topic} can't be read: ${answer?.status}`];
  const { epoch, messages } = answer.body as unknown as { epoch: string; messages: readonly Message[] };
  const written = watch.kept(topic).filter((one) => one.epoch === epoch);
  const found = messages.map(({ seq }) => Number(seq));
  // What grew too old while it was read may or may not be in it.
  const [most, least] = [askedAt, time.now()].map((at) => keptAt(topic, written, at));
  const isRight = isSuffix(found, most ?? []) && isSuffix(least ?? [], found);
  const foreign = messages.filter(
    (message) => journal.publications[payloadOf(message).publication - 1]?.topic !== topic,
  );
  return [
    ...(isRight ? [] : [`the history of ${topic} is [${found}], and should be [${most}]`]),
    ...foreign.map((message) => `the history of ${topic} has what nobody published there: ${JSON.stringify(message)}`),
  ];
}

/** The newest, as many as are kept, back to the first that is too old: a late one may be older than those before it. */
function keptAt(topic: string, written: readonly Kept[], at: number): number[] {
  const { maxAgeMs, maxMessages } = retentionOf(topic);
  const newest = [...written].sort((one, other) => one.seq - other.seq).slice(-Math.min(LAST, maxMessages));
  const tooOld = newest.findLastIndex(({ time }) => at - time >= maxAgeMs);
  return newest.slice(tooOld + 1).map(({ seq }) => seq);
}

function isSuffix(numbers: readonly number[], of: readonly number[]): boolean {
  return numbers.length === 0 || of.slice(-numbers.length).join() === numbers.join();
}
