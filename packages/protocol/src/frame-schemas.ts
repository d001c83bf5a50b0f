import * as v from "valibot";
import { CODES, type ErrorCode } from "./codes.ts";
import type {
  AckFrame,
  ClosingFrame,
  DirectFrame,
  ErrorFrame,
  Message,
  MessagesFrame,
  PongFrame,
  RecoveryFrame,
} from "./frames.ts";
import { seqSchema } from "./places.ts";
import { anyJsonSchema } from "./schema.ts";
import { topicSchema } from "./topic-schema.ts";

/*
 * What services send, as schemas: for the published documents and for tests. The types are in frames.ts, so that a client bundles nothing of this;
 * `SAME` holds the two together.
 */

export const codeSchema = v.picklist(Object.keys(CODES) as ErrorCode[]);
export const timeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.description("Unix ms."));
const epochSchema = v.pipe(v.string(), v.description("Within it numbers count 1, 2, 3, …; another one begins anew."));
const fromSchema = v.pipe(v.string(), v.description("Who sent it; absent where a backend didn't say."));
const youSchema = v.pipe(v.string(), v.description("What others see of this client as `from`."));
const idSchema = v.pipe(v.string(), v.description("The `id` of the request that this answers."));
const actionSchema = v.pipe(v.string(), v.description("The request that this answers."));

export const messageSchema = v.object({
  seq: v.exactOptional(v.pipe(seqSchema, v.description("Its number in the epoch; absent where it is ephemeral."))),
  payload: anyJsonSchema,
  from: v.exactOptional(fromSchema),
  time: timeSchema,
  key: v.exactOptional(v.pipe(v.string(), v.description("The idempotency key that it was published with."))),
});
const messageListSchema = v.pipe(v.array(messageSchema), v.readonly());

/** What was asked for of a topic's history, in an ack and over HTTP alike. */
export const historyAnswerEntries = {
  recovered: v.pipe(
    v.boolean(),
    v.description("Whether everything after `since` can be had: all of it or none. With `last` always true."),
  ),
  messages: v.pipe(messageListSchema, v.description("Oldest first. Numbers that are absent are void.")),
  more: v.pipe(
    v.boolean(),
    v.description("Whether some is left: with `since` after the last of `messages`, with `last` before the first."),
  ),
};

export const messagesFrameSchema = v.object({
  type: v.literal("messages"),
  topic: topicSchema,
  epoch: v.exactOptional(v.pipe(epochSchema, v.description("Absent where the messages are ephemeral."))),
  messages: messageListSchema,
});

export const ackFrameSchema = v.object({
  type: v.literal("ack"),
  id: v.exactOptional(idSchema),
  action: actionSchema,
  topic: topicSchema,
  epoch: v.exactOptional(epochSchema),
  seq: v.exactOptional(
    v.pipe(
      seqSchema,
      v.description("Of the last message (publish), or how far the topic is settled (subscribe, history)."),
    ),
  ),
  you: v.exactOptional(youSchema),
  recovered: v.exactOptional(historyAnswerEntries.recovered),
  messages: v.exactOptional(historyAnswerEntries.messages),
  more: v.exactOptional(historyAnswerEntries.more),
});

export const limitSchema = v.pipe(
  v.number(),
  v.description("The bound that was crossed: bytes for `payload_too_large`, topics for `too_many_subscriptions`."),
);
export const retryAfterSchema = v.pipe(v.number(), v.description("Ms after which a retry may succeed."));

export const errorFrameSchema = v.object({
  type: v.literal("error"),
  id: v.exactOptional(idSchema),
  action: v.exactOptional(actionSchema),
  topic: v.exactOptional(topicSchema),
  code: codeSchema,
  message: v.pipe(v.string(), v.description("For a developer; names the field and the way out.")),
  limit: v.exactOptional(limitSchema),
  retryAfter: v.exactOptional(retryAfterSchema),
});

export const pongFrameSchema = v.object({
  type: v.literal("pong"),
  id: v.exactOptional(idSchema),
  time: v.exactOptional(timeSchema),
  connectionId: v.exactOptional(v.string()),
  you: v.exactOptional(youSchema),
  behind: v.exactOptional(
    v.pipe(
      v.array(topicSchema),
      v.readonly(),
      v.description("Of the places asked about, the topics that have something newer."),
    ),
  ),
});

export const closingFrameSchema = v.object({
  type: v.literal("closing"),
  topic: v.exactOptional(
    v.pipe(v.string(), v.description("Ends this subscription; where it is absent, the connection ends.")),
  ),
  reason: v.pipe(v.string(), v.examples(["deleted", "kicked", "token_expired", "application_deleted"])),
  reconnect: v.pipe(v.boolean(), v.description("Whether to come back.")),
});

export const directFrameSchema = v.object({
  type: v.literal("direct"),
  payload: anyJsonSchema,
  from: v.exactOptional(fromSchema),
  time: timeSchema,
});

export const recoveryFrameSchema = v.object({
  type: v.literal("recovery"),
  epoch: epochSchema,
  seq: v.pipe(seqSchema, v.description("Where the room stands.")),
  recovered: historyAnswerEntries.recovered,
});

type Both<A, B> = [A, keyof A, B, keyof B] extends [B, keyof B, A, keyof A] ? true : never;
type Same<Schema extends v.GenericSchema, Type> = Both<v.InferOutput<Schema>, Type>;

/** Doesn't compile where a schema and its type differ. */
true satisfies Same<typeof messageSchema, Message> &
  Same<typeof messagesFrameSchema, MessagesFrame> &
  Same<typeof ackFrameSchema, AckFrame> &
  Same<typeof errorFrameSchema, ErrorFrame> &
  Same<typeof pongFrameSchema, PongFrame> &
  Same<typeof closingFrameSchema, ClosingFrame> &
  Same<typeof directFrameSchema, DirectFrame> &
  Same<typeof recoveryFrameSchema, RecoveryFrame>;
