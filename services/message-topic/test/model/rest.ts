import { payloadOf, type Session } from "./journal.ts";
import { TOPICS } from "./topics.ts";
import type { World } from "./world.ts";

const STEP_MS = 5_000;
/** Publishers retry for four minutes, dead sockets are found within one, and a job's attempts take half a minute. */
const MAX_REST_MS = 8 * 60_000;
/** How soon a message reaches everyone where nothing fails: by the queue and page by page. */
const LIVE_MS = 3_000;

/** Ends all faults, brings everyone online, and lets time pass until nothing is under way. What never ends is named. */
export async function comeToRest(world: World): Promise<string[]> {
  const { faults, clients, time } = world;
  faults.end();
  for (const client of clients) client.goOnline();
  if (!(await settle(world))) return [`not at rest after ${MAX_REST_MS} ms: ${restless(world).join(", ")}`];
  // The last message of a topic leaves no gap where it is lost: the keep-alive finds it.
  for (const client of clients) client.ping();
  await time.advance(STEP_MS);
  return (await settle(world)) ? [] : [`not at rest after a ping: ${restless(world).join(", ")}`];
}

async function settle(world: World): Promise<boolean> {
  for (let ms = 0; ms < MAX_REST_MS; ms += STEP_MS) {
    await world.time.advance(STEP_MS);
    if (restless(world).length === 0) return true;
  }
  return false;
}

function restless({ publisher, lambda, watch, eventSource, clients }: World): string[] {
  return [
    ...(publisher.busy > 0 ? ["a publisher"] : []),
    ...(lambda.running > 0 ? ["an invocation"] : []),
    ...(eventSource.done < watch.jobsSent ? ["a job"] : []),
    ...clients.filter((client) => !client.isSettled()).map(({ name }) => name),
  ];
}

/** One more message to each topic: with nothing failing it must reach every subscriber live, or someone was evicted. */
export async function probe({ publisher, clients, time }: World): Promise<string[]> {
  const probes = TOPICS.map((topic) =>
    publisher.publish({ topic, count: 1, keyed: false, ephemeral: false, echo: true }),
  );
  await time.advance(LIVE_MS);
  const missing: string[] = [];
  for (const { id, topic } of probes) {
    for (const { name, subscriptions } of clients) {
      const session = subscriptions().find((subscription) => subscription.topic === topic)?.session;
      if (session === undefined || session.isOver || hasEmitted(session, id)) continue;
      missing.push(`${name} subscribes to ${topic}, and a message after all was at rest didn't reach it`);
    }
  }
  return missing;
}

function hasEmitted({ steps }: Session, id: number): boolean {
  return steps.some(({ messages }) => messages.some((message) => payloadOf(message).publication === id));
}
