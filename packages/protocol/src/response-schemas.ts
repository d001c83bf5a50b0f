import * as v from "valibot";
import { codeSchema, historyAnswerEntries, limitSchema, retryAfterSchema, timeSchema } from "./frame-schemas.ts";
import { seqSchema } from "./places.ts";
import { topicSchema } from "./topic-schema.ts";

/* What services answer over HTTP, as schemas: for the published documents and for tests. */

const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const cursorSchema = v.pipe(v.string(), v.description("Asks for the next page; absent where this is the last."));

const settledEntries = { epoch: v.string(), seq: v.pipe(seqSchema, v.description("How far the topic is settled.")) };

const place = {
  epoch: v.exactOptional(v.pipe(v.string(), v.description("Absent where what was published is ephemeral."))),
  seq: v.exactOptional(v.pipe(seqSchema, v.description("The number of the last message. Absent as `epoch` is."))),
};

export const publishAnswerSchema = v.object({ topic: topicSchema, ...place });

export const publishManyAnswerSchema = v.object({
  results: v.pipe(
    v.array(
      v.union([
        publishAnswerSchema,
        v.object({
          topic: v.exactOptional(v.pipe(v.string(), v.description("As the request named it, where it did."))),
          error: v.object({ code: codeSchema, message: v.string(), limit: v.exactOptional(limitSchema) }),
        }),
      ]),
    ),
    v.description("One for each message, in order."),
  ),
});

export const historyAnswerSchema = v.object({
  topic: topicSchema,
  ...settledEntries,
  ...historyAnswerEntries,
});

export const broadcastAnswerSchema = v.object(place);

const countEntries = {
  subscribers: countSchema,
  approximate: v.exactOptional(v.pipe(v.literal(true), v.description("There are more than were counted."))),
};
export const topicAnswerSchema = v.object({ topic: topicSchema, ...settledEntries, ...countEntries });

export const roomAnswerSchema = v.object({ room: topicSchema, ...settledEntries, ...countEntries });

export const subscribersAnswerSchema = v.object({
  subscribers: v.array(v.object({ connectionId: v.string(), from: v.string(), subscribedAt: timeSchema })),
  cursor: v.exactOptional(cursorSchema),
});

export const connectionAnswerSchema = v.object({
  connectionId: v.string(),
  from: v.pipe(v.string(), v.description("What others see of who it is.")),
  connectedAt: timeSchema,
  lastActiveAt: timeSchema,
  sourceIp: v.string(),
  userAgent: v.exactOptional(v.string()),
});

export const sentAnswerSchema = v.object({
  connections: v.pipe(countSchema, v.description("To how many it was sent.")),
  approximate: countEntries.approximate,
});

export const healthSchema = v.object({ status: v.literal("ok") });

/** RFC 9457. */
export const problemSchema = v.object({
  type: v.literal("about:blank"),
  title: v.string(),
  status: v.number(),
  detail: v.pipe(v.string(), v.description("For a developer; names the field and the way out.")),
  code: codeSchema,
  requestId: v.pipe(
    v.string(),
    v.description("What the service's log calls this request, as in the header `x-request-id`."),
  ),
  limit: v.exactOptional(limitSchema),
  retryAfter: v.exactOptional(retryAfterSchema),
});

/** Of `GET /health`. */
export const healthProblemSchema = v.object({
  ...problemSchema.entries,
  failed: v.pipe(v.array(v.picklist(["store", "queue"])), v.minLength(1)),
});
