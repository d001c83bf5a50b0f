import * as v from "valibot";
import { type Fault, ok, type Result, refuse } from "./codes.ts";
import type { Place } from "./frames.ts";
import { type HistoryQuery, historyEntries, parseHistory, refuseBoth } from "./history-query.ts";
import { isJsonObject, type Json, type JsonObject, parseJson, utf8Length } from "./json.ts";
import { MAX_CLIENT_FRAME_BYTES, MAX_SUBSCRIBE_LAST } from "./limits.ts";
import { parsePlaces, type TopicPlace } from "./places.ts";
import {
  check,
  ephemeralOf,
  flagSchema,
  nameSchema,
  payloadsOf,
  publishEntries,
  refuseUnserved,
  tooLarge,
  wholeNumberSchema,
} from "./schema.ts";
import { parseTopic, type Topic } from "./topic-name.ts";

interface Tagged {
  /** Chosen by the client; the reply carries it back. */
  readonly id?: string;
}
export interface SubscribeRequest extends Tagged {
  readonly action: "subscribe";
  readonly topic: Topic;
  /** Asks for all after this place. Never together with `last`. */
  readonly since?: Place;
  /** Asks for the newest 1 to 100 messages. */
  readonly last?: number;
}
export interface UnsubscribeRequest extends Tagged {
  readonly action: "unsubscribe";
  readonly topic: Topic;
}
export interface PublishRequest extends Tagged {
  readonly action: "publish";
  readonly topic: Topic;
  /** 1 to 100, applied whole or not at all. */
  readonly payloads: readonly Json[];
  /** No number, no history. Absent where the publish doesn't say: the topic's rule decides. */
  readonly ephemeral?: boolean;
  /** Of a tick's ephemeral messages of one name and sender only the newest is delivered. */
  readonly latest?: string;
  /** Whoever repeats the publish with it gets the first answer. */
  readonly key?: string;
  /** Whether this connection gets it too. */
  readonly echo: boolean;
}
export type HistoryRequest = Tagged & { readonly action: "history"; readonly topic: Topic } & HistoryQuery;
export interface PingRequest extends Tagged {
  readonly action: "ping";
  /** What the client has of its topics, at most 50; none where it didn't ask. */
  readonly places: readonly TopicPlace[];
}
/** What the topic service takes. */
export type ClientRequest = SubscribeRequest | UnsubscribeRequest | PublishRequest | HistoryRequest | PingRequest;
export type Action = ClientRequest["action"];

/** What an `error` frame says of the request that it answers, as far as that could be read. */
export interface RequestHead {
  readonly id?: string;
  readonly action?: string;
  readonly topic?: string;
}

export type ParsedRequest =
  | { readonly ok: true; readonly request: ClientRequest }
  | { readonly ok: false; readonly fault: Fault; readonly head: RequestHead };

/** The fields of each request that a schema checks; `topic`, `payload` and `places` have parsers of their own. */
const taggedEntries = { id: v.optional(nameSchema) };
export const requestEntries = {
  subscribe: {
    ...taggedEntries,
    since: historyEntries.since,
    last: v.optional(wholeNumberSchema(1, MAX_SUBSCRIBE_LAST)),
  },
  unsubscribe: taggedEntries,
  publish: { ...taggedEntries, ...publishEntries, echo: v.optional(flagSchema) },
  history: { ...taggedEntries, ...historyEntries },
  ping: taggedEntries,
} as const satisfies Record<Action, v.ObjectEntries>;

const taggedSchema = v.object(taggedEntries);
const subscribeSchema = v.object(requestEntries.subscribe);
const historySchema = v.object(requestEntries.history);
const publishSchema = v.object(requestEntries.publish);

const PARSERS: { readonly [A in Action]: (fields: JsonObject) => Result<Extract<ClientRequest, { action: A }>> } = {
  subscribe: parseSubscribe,
  unsubscribe: parseUnsubscribe,
  publish: parsePublish,
  history: parseHistoryRequest,
  ping: parsePing,
};

/** Parses a frame from a client. Never throws; a fault names the field. */
export function parseRequest(body: string): ParsedRequest {
  const bytes = utf8Length(body);
  if (bytes > MAX_CLIENT_FRAME_BYTES) {
    return { ok: false, fault: tooLarge("This frame is", bytes, MAX_CLIENT_FRAME_BYTES).fault, head: {} };
  }
  const parsed = parseJson(body);
  if (!parsed.ok) return { ...parsed, head: {} };
  if (!isJsonObject(parsed.value)) {
    return { ...refuse("bad_request", 'A request is a JSON object such as {"action":"ping"}.'), head: {} };
  }
  const result = parseFields(parsed.value);
  return result.ok ? { ok: true, request: result.value } : { ...result, head: headOf(parsed.value) };
}

function parseFields(fields: JsonObject): Result<ClientRequest> {
  const { action } = fields;
  if (action === undefined) return refuse("bad_request", "`action` is missing.");
  if (typeof action !== "string") return refuse("bad_request", "`action` must be a string.");
  if (!Object.hasOwn(PARSERS, action)) {
    return refuse("unknown_action", `\`action\` must be one of: ${Object.keys(PARSERS).join(", ")}.`);
  }
  return PARSERS[action as Action](fields);
}

function headOf({ id, action, topic }: JsonObject): RequestHead {
  return {
    ...(v.is(nameSchema, id) && { id }),
    ...(typeof action === "string" && Object.hasOwn(PARSERS, action) && { action }),
    ...(parseTopic(topic).ok && { topic: topic as Topic }),
  };
}

function parseSubscribe(fields: JsonObject): Result<SubscribeRequest> {
  const checked = check(subscribeSchema, fields);
  if (!checked.ok) return checked;
  const topic = parseTopic(fields.topic);
  if (!topic.ok) return topic;
  const served = refuseUnserved(fields, ["presence"]);
  if (!served.ok) return served;
  const { since, last } = checked.value;
  if (since !== undefined && last !== undefined) return refuseBoth("`since`");
  return ok({
    action: "subscribe",
    topic: topic.value,
    ...(since !== undefined && { since }),
    ...(last !== undefined && { last }),
    ...tag(checked.value),
  });
}

function parseUnsubscribe(fields: JsonObject): Result<UnsubscribeRequest> {
  const tagged = check(taggedSchema, fields);
  if (!tagged.ok) return tagged;
  const topic = parseTopic(fields.topic);
  return topic.ok ? ok({ action: "unsubscribe", topic: topic.value, ...tag(tagged.value) }) : topic;
}

function parseHistoryRequest(fields: JsonObject): Result<HistoryRequest> {
  const checked = check(historySchema, fields);
  if (!checked.ok) return checked;
  const topic = parseTopic(fields.topic);
  if (!topic.ok) return topic;
  const query = parseHistory(checked.value, "`since`");
  return query.ok ? ok({ action: "history", topic: topic.value, ...query.value, ...tag(checked.value) }) : query;
}

function parsePublish(fields: JsonObject): Result<PublishRequest> {
  const checked = check(publishSchema, fields);
  if (!checked.ok) return checked;
  const topic = parseTopic(fields.topic);
  if (!topic.ok) return topic;
  const { id, payloads, latest, key, echo = true } = checked.value;
  const ephemeral = ephemeralOf(checked.value.ephemeral, latest);
  if (!ephemeral.ok) return ephemeral;
  if (!echo && id === undefined) {
    return refuse(
      "bad_request",
      "`echo: false` needs an `id`: without the ack you would not learn the message's number.",
    );
  }
  const list = payloadsOf(fields, payloads, MAX_CLIENT_FRAME_BYTES);
  if (!list.ok) return list;
  return ok({
    action: "publish",
    topic: topic.value,
    payloads: list.value,
    ...ephemeral.value,
    ...(latest !== undefined && { latest }),
    ...(key !== undefined && { key }),
    echo,
    ...tag({ id }),
  });
}

function parsePing(fields: JsonObject): Result<PingRequest> {
  const tagged = check(taggedSchema, fields);
  if (!tagged.ok) return tagged;
  const places = parsePlaces(Object.hasOwn(fields, "places") ? fields.places : undefined);
  return places.ok ? ok({ action: "ping", places: places.value, ...tag(tagged.value) }) : places;
}

function tag({ id }: { id?: string | undefined }): Tagged {
  return id === undefined ? {} : { id };
}
