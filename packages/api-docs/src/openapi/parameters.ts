import { DEFAULT_ROOM } from "@topicast/protocol";
import { historyQuerySchema, idempotencyKeySchema, topicSchema } from "@topicast/protocol/schemas";
import type { GenericSchema } from "valibot";
import { jsonSchemaOf, type Node } from "../json-schema.ts";

const { epoch, seq, last, limit } = historyQuerySchema.entries;

function query(name: string, schema: GenericSchema, description: string): Node {
  return { name, in: "query", description, schema: jsonSchemaOf(schema, "draft-2020-12") };
}

function path(name: string, schema: GenericSchema, description: string, example: string): Node {
  return { name, in: "path", required: true, description, schema: jsonSchemaOf(schema, "draft-2020-12"), example };
}

export const PARAMETERS = {
  Topic: path("topic", topicSchema, "A topic's name, its `/` as `%2F` or as it is.", "room/1"),
  Epoch: query("epoch", epoch, "With `seq`: all after this place. Excludes `last`."),
  Seq: query("seq", seq, "With `epoch`: all after this place. Excludes `last`."),
  Last: query("last", last, "The newest messages, this many."),
  Limit: query("limit", limit, "The most messages that a page holds."),
  RoomId: query(
    "room_id",
    topicSchema,
    `A room, spelled as a topic's name; where it isn't given, \`${DEFAULT_ROOM}\`.`,
  ),
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "The same as `key` in the body: whoever repeats the request with it within 5 minutes gets the first answer.",
    schema: jsonSchemaOf(idempotencyKeySchema, "draft-2020-12"),
  },
} as const satisfies Record<string, Node>;

export type ParameterName = keyof typeof PARAMETERS;
