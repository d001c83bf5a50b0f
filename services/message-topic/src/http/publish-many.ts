import { allow, type Caller, publish } from "@topicast/core";
import { faultOf } from "@topicast/core/lambda";
import { type Fault, type HttpPublish, type HttpPublishOfMany, MAX_BATCH, ok, type Place } from "@topicast/protocol";
import { service } from "./service.ts";

/** A message of `POST /messages`, and where in the request it is. */
interface Turn {
  readonly index: number;
  readonly request: HttpPublish;
}

/** What became of a message. */
type Outcome = { readonly topic: string | undefined } & (Partial<Place> | { readonly error: object });

/** Topics side by side, the messages of one topic in turn, so that they keep their order. An outcome for each message, in order. */
export async function publishMany(caller: Caller, requests: readonly HttpPublishOfMany[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const topics = new Map<string, Turn[]>();
  for (const [index, request] of requests.entries()) {
    if (!request.ok) outcomes[index] = { topic: request.topic, error: errorOf(request.fault) };
    else addTo(topics, request.value.topic, { index, request: request.value });
  }
  await Promise.all(
    [...topics.values()].map(async (turns) => {
      for (const batch of batchesOf(turns)) {
        const published = await publishBatch(caller, batch);
        for (const [at, { index }] of batch.entries()) outcomes[index] = published[at] as Outcome;
      }
    }),
  );
  return outcomes;
}

function addTo(topics: Map<string, Turn[]>, topic: string, turn: Turn): void {
  const turns = topics.get(topic);
  if (turns === undefined) topics.set(topic, [turn]);
  else turns.push(turn);
}

/**
 * Neighbours of one topic that say the same of themselves go out as one batch: one write instead of as many, and one frame. Each has an outcome of its own all
 * the same. One with a key stands alone, for the key is the whole batch's.
 */
function batchesOf(turns: readonly Turn[]): Turn[][] {
  const batches: Turn[][] = [];
  for (const turn of turns) {
    const batch = batches.at(-1);
    if (batch !== undefined && goesWith(turn, batch)) batch.push(turn);
    else batches.push([turn]);
  }
  return batches;
}

function goesWith({ request }: Turn, batch: readonly Turn[]): boolean {
  const first = batch[0]?.request;
  if (first === undefined || first.key !== undefined || request.key !== undefined) return false;
  const count = batch.reduce((sum, turn) => sum + turn.request.payloads.length, request.payloads.length);
  const isAlike = first.ephemeral === request.ephemeral && first.latest === request.latest;
  return count <= MAX_BATCH && first.from === request.from && isAlike;
}

async function publishBatch(caller: Caller, batch: readonly Turn[]): Promise<Outcome[]> {
  const { topic, ...about } = (batch[0] as Turn).request;
  const payloads = batch.flatMap(({ request }) => request.payloads);
  const published = await tryPublish(caller, { topic, ...about, payloads });
  // One of them may be too large for the topic; the others needn't fail with it.
  if (!published.ok && published.fault.code === "payload_too_large" && batch.length > 1) {
    return publishSingly(caller, batch);
  }
  if (!published.ok) return batch.map(() => ({ topic, error: errorOf(published.fault) }));
  const { value: place } = published;
  if (place === undefined) return batch.map(() => ({ topic }));
  let seq = place.seq - payloads.length;
  return batch.map(({ request }) => {
    seq += request.payloads.length;
    return { topic, epoch: place.epoch, seq };
  });
}

async function publishSingly(caller: Caller, batch: readonly Turn[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const turn of batch) outcomes.push(...(await publishBatch(caller, [turn])));
  return outcomes;
}

async function tryPublish(caller: Caller, request: HttpPublish) {
  try {
    return await publishOne(caller, request);
  } catch (error) {
    // The other messages of the request have outcomes of their own.
    return { ok: false, fault: faultOf(error, service.logger) } as const;
  }
}

/** Where it may. The place of its last message, none where it is ephemeral. Throws `UnavailableError`. */
export async function publishOne(caller: Caller, { topic, ...request }: HttpPublish) {
  const allowed = allow(caller, "publish", topic);
  if (!allowed.ok) return allowed;
  const published = await publish(service, { app: caller.app, topic, ...request, echo: true });
  return published.ok ? ok(published.value) : published;
}

function errorOf({ code, message, limit }: Fault) {
  return { code, message, ...(limit !== undefined && { limit }) };
}
