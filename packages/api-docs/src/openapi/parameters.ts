import { MAX_PAGE_LIMIT } from "@topicast/applications/schemas";
import { APPLICATION_NAME } from "@topicast/core";
import { DEFAULT_ROOM } from "@topicast/protocol";
import {
  historyQuerySchema,
  idempotencyKeySchema,
  pageQuerySchema,
  topicSchema,
  userSchema,
} from "@topicast/protocol/schemas";
import * as v from "valibot";
import { jsonSchemaOf, type Node } from "../json-schema.ts";

const { epoch, seq, last, limit } = historyQuerySchema.entries;

function query(name: string, schema: v.GenericSchema, description: string): Node {
  return { name, in: "query", description, schema: jsonSchemaOf(schema, "draft-2020-12") };
}

function path(name: string, schema: v.GenericSchema, description: string, example: string): Node {
  return { name, in: "path", required: true, description, schema: jsonSchemaOf(schema, "draft-2020-12"), example };
}

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

export const PARAMETERS = {
  User: path("user", userSchema, "Whose connections: the `sub` of their tokens.", "alice"),
  ConnectionId: path("id", id, "A connection, as `pong` and subscribers name it.", "VvQp8cSpoAMCLkg="),
  Room: path("room", topicSchema, "A room's name, its `/` as `%2F` or as it is.", "lobby"),
  App: path("app", v.pipe(v.string(), v.regex(APPLICATION_NAME)), "An application's name.", "default"),
  KeyId: path("keyId", v.pipe(v.string(), v.minLength(1), v.maxLength(16)), "A key of it.", "k1"),
  ApplicationLimit: query(
    "limit",
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PAGE_LIMIT)),
    "The most that a page holds.",
  ),
  Cursor: query("cursor", v.string(), "What the page before came with."),
  PageLimit: query("limit", pageQuerySchema.entries.limit, "The most that a page holds."),

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
