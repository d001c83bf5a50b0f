import { type Json, ok, type Place, payloadBytes, type Result, refuse, type Topic } from "@topicast/protocol";
import { findRule } from "../applications.ts";
import type { AppId, ConnectionId } from "../model.ts";
import type { IdempotencyKey } from "../ports/topic-log.ts";
import type { Service } from "../service.ts";
import type { TopicRule } from "../topic-rules.ts";
import { fanOut } from "./fan-out.ts";
import { gatherInTick, type PublishTickedService, publishInTick, type Ticked } from "./publish-ticked.ts";

type PublishService = PublishTickedService & Pick<Service, "applications">;

export interface PublishInput {
  readonly app: AppId;
  readonly topic: Topic;
  /** 1 to 100, published whole or not at all. */
  readonly payloads: readonly Json[];
  /** Who others see as its sender. */
  readonly from?: string | undefined;
  /** The connection that publishes, where it is one. */
  readonly sender?: ConnectionId;
  readonly echo: boolean;
  /** At most once, unordered, unrecorded. Where absent the topic's rule says. */
  readonly ephemeral?: boolean | undefined;
  /** Of a tick's ephemeral messages of one name and sender only the newest is delivered. */
  readonly latest?: string | undefined;
  /** Idempotency key: a repeat within five minutes gets the first answer and publishes nothing new. */
  readonly key?: string | undefined;
}

/**
 * Publishes a batch to a topic. Returns the place of its last message, or `undefined` where it is ephemeral. Once this resolves the batch has its
 * numbers, is in the history, and is either posted or safely queued for every subscriber, or will be found by a job that is safely queued. Throws `UnavailableError`: then any part of
 * that may be missing, and a retry is needed; with the same key it finishes what is missing, and doubles nothing.
 */
export async function publish(service: PublishService, input: PublishInput): Promise<Result<Place | undefined>> {
  const rule = await findRule(service.applications, input.app, input.topic);
  const checked = checkPayloads(input, rule);
  if (!checked.ok) return checked;
  if (input.ephemeral ?? rule.ephemeral) {
    await publishEphemeral(service, input, rule);
    return ok(undefined);
  }
  return ok(await publishNumbered(service, input, rule));
}

function checkPayloads({ topic, payloads }: PublishInput, { maxPayloadBytes }: TopicRule): Result<undefined> {
  if (maxPayloadBytes === undefined) return ok(undefined);
  const largest = Math.max(...payloads.map((payload) => payloadBytes([payload])));
  if (largest <= maxPayloadBytes) return ok(undefined);
  return refuse(
    "payload_too_large",
    `This payload is ${largest} bytes long; ${topic} takes at most ${maxPayloadBytes}.`,
    maxPayloadBytes,
  );
}

async function publishNumbered(service: PublishService, input: PublishInput, rule: TopicRule): Promise<Place> {
  const { app, topic, payloads, from } = input;
  const key = keyOf(input);
  const batch = { payloads, ...(from !== undefined && { from }), time: service.clock.now(), ...(key && { key }) };
  const { retention } = rule;
  const ticked = tickedOf(service, input, rule);
  if (ticked !== undefined) return publishInTick(service, ticked, batch, retention);
  const { place, messages } = await service.log.append(app, topic, batch, retention);
  // Also of a repeat: the first may have died before anyone got it.
  if (messages.length > 0) await fanOut(service, { ...aboutOf(input), epoch: place.epoch, messages });
  return place;
}

/** With a key at most once in five minutes, so that what failed on the way is not made good by a repeat: the next position will be. */
async function publishEphemeral(service: PublishService, input: PublishInput, rule: TopicRule): Promise<void> {
  const { app, topic, payloads, from, key: value, latest } = input;
  const key = keyOf(input);
  if (key !== undefined && !(await service.log.claim(app, topic, key))) return;
  const time = service.clock.now();
  const marks = { ...(from !== undefined && { from }), time, ...(value !== undefined && { key: value }) };
  const ticked = tickedOf(service, input, rule);
  if (ticked !== undefined) {
    return gatherInTick(service, ticked, { payloads, ...marks, ...(latest !== undefined && { latest }) });
  }
  await fanOut(service, { ...aboutOf(input), messages: payloads.map((payload) => ({ payload, ...marks })) });
}

/** Undefined where deliveries leave at once. */
function tickedOf({ envelope }: PublishService, input: PublishInput, { tickMs }: TopicRule): Ticked | undefined {
  if (tickMs === undefined || !envelope.joins) return undefined;
  const { app, topic, sender, echo } = input;
  return { app, topic, tickMs, except: echo ? undefined : sender };
}

function aboutOf({ app, topic, sender, echo }: PublishInput) {
  return { kind: "messages", app, topic, ...(sender !== undefined && { sender }), echo } as const;
}

/** A connection's keys go by its identity, which outlives it where the client has a secret; a backend's by whom it says that it speaks for. */
function keyOf({ key, sender, from = "" }: PublishInput): IdempotencyKey | undefined {
  return key === undefined
    ? undefined
    : { sender: `${sender === undefined ? "backend" : "client"}:${from}`, value: key };
}
