import * as v from "valibot";
import { DEFAULT_ROOM } from "./broadcast.ts";
import { directEntries, parseUser } from "./direct-request.ts";
import { httpPublishEntries } from "./http-requests.ts";
import { CLIENT_SECRET } from "./identity.ts";
import { MAX_BATCH, MAX_PLACES, MAX_USER_LENGTH } from "./limits.ts";
import { placeFieldsSchema, SINCE } from "./places.ts";
import { type Action, requestEntries } from "./requests.ts";
import { anyJsonSchema } from "./schema.ts";
import { topicSchema } from "./topic-schema.ts";

/*
 * What services take, as schemas: the fields as requests.ts and http-requests.ts check them, and what these ask for beside, in words of JSON Schema.
 * For the published documents and for tests, which hold that both take the same.
 */

const sinceSchema = v.optional(placeFieldsSchema);
const payload = v.optional(anyJsonSchema);

const NOT_BOTH = { required: ["since", "last"] };
const ONE_PAYLOAD = [{ required: ["payload"] }, { required: ["payloads"] }];
/** `latest` implies `ephemeral`. */
const LATEST_UNLESS = {
  properties: { ephemeral: { const: false } },
  required: ["latest", "ephemeral"],
};
const ECHO_NEEDS_ID = {
  if: { properties: { echo: { const: false } }, required: ["echo"] },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
  then: { required: ["id"] },
};

export const subscribeRequestSchema = v.pipe(
  v.object({
    action: v.literal("subscribe"),
    topic: topicSchema,
    ...requestEntries.subscribe,
    since: sinceSchema,
  }),
  v.metadata({
    description:
      "Joins a topic, which is the same once or twice; with `since` or `last` the ack brings messages of its history.",
    not: NOT_BOTH,
  }),
);
export const unsubscribeRequestSchema = v.pipe(
  v.object({ action: v.literal("unsubscribe"), topic: topicSchema, ...requestEntries.unsubscribe }),
  v.description("Leaves a topic."),
);
export const publishRequestSchema = v.pipe(
  v.object({ action: v.literal("publish"), topic: topicSchema, payload, ...requestEntries.publish }),
  v.metadata({
    description:
      "Publishes `payload`, or all of `payloads` as one. Without `id` it is answered only where it fails. `echo: false` needs an `id`.",
    oneOf: ONE_PAYLOAD,
    not: LATEST_UNLESS,
    ...ECHO_NEEDS_ID,
  }),
);
export const historyRequestSchema = v.pipe(
  v.object({ action: v.literal("history"), topic: topicSchema, ...requestEntries.history, since: sinceSchema }),
  v.metadata({
    description: "Asks for all after a place, in pages of `limit`, or for the newest `last`.",
    oneOf: [{ required: ["since"] }, { required: ["last"] }],
  }),
);
export const pingRequestSchema = v.pipe(
  v.object({
    action: v.literal("ping"),
    ...requestEntries.ping,
    places: v.optional(v.pipe(v.record(topicSchema, placeFieldsSchema), v.maxEntries(MAX_PLACES))),
  }),
  v.description("Keeps the connection, and asks which topics have something newer than these places."),
);

/** Each request of message-topic. */
export const REQUEST_SCHEMAS = {
  subscribe: subscribeRequestSchema,
  unsubscribe: unsubscribeRequestSchema,
  publish: publishRequestSchema,
  history: historyRequestSchema,
  ping: pingRequestSchema,
} as const satisfies Record<Action, v.GenericSchema>;

/** The query of the address that a client connects to, beside its token. */
export const connectQuerySchema = v.object({
  client: v.optional(
    v.pipe(
      v.string(),
      v.regex(CLIENT_SECRET),
      v.description(
        "Made up at random once and kept secret: who has no token is the same one after a reconnect by it.",
      ),
    ),
  ),
});
export const broadcastConnectQuerySchema = v.object({
  ...connectQuerySchema.entries,
  room_id: v.optional(v.pipe(topicSchema, v.description(`The room; where it isn't given, \`${DEFAULT_ROOM}\`.`))),
  since: v.optional(
    v.pipe(
      v.string(),
      v.regex(SINCE),
      v.description(
        "`{_epoch}:{_seq}` of the last message that came: what followed is replayed, and a `recovery` frame says how it went.",
      ),
    ),
  ),
});

/** Whom `/users/{user}` means. */
export const userSchema = v.pipe(
  v.string(),
  v.check((name) => parseUser(name).ok),
  v.metadata({ minLength: 1, maxLength: MAX_USER_LENGTH }),
);
/** What a backend sends to a connection or a user. */
export const httpDirectSchema = v.object({ payload: anyJsonSchema, ...directEntries });

const httpPublishFields = { payload, ...httpPublishEntries };
export const httpPublishSchema = v.pipe(
  v.object(httpPublishFields),
  v.metadata({ oneOf: ONE_PAYLOAD, not: LATEST_UNLESS }),
);
/** A message of `POST /messages`; one that isn't fails by itself. */
export const httpPublishOneSchema = v.pipe(
  v.object({ topic: topicSchema, ...httpPublishFields }),
  v.metadata({ oneOf: ONE_PAYLOAD, not: LATEST_UNLESS }),
);
export const httpPublishManySchema = v.object({
  messages: v.pipe(v.array(httpPublishOneSchema), v.minLength(1), v.maxLength(MAX_BATCH)),
});
