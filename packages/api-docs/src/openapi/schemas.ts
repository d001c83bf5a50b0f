import {
  broadcastAnswerSchema,
  healthProblemSchema,
  healthSchema,
  historyAnswerSchema,
  httpPublishManySchema,
  httpPublishOneSchema,
  httpPublishSchema,
  messageSchema,
  problemSchema,
  publishAnswerSchema,
  publishManyAnswerSchema,
  topicSchema,
} from "@topicast/protocol/schemas";
import type { GenericSchema } from "valibot";

/** Of bodies, under the names that the document calls them by. */
export const SCHEMAS = {
  Topic: topicSchema,
  Message: messageSchema,
  Publish: httpPublishSchema,
  PublishOne: httpPublishOneSchema,
  PublishMany: httpPublishManySchema,
  Published: publishAnswerSchema,
  PublishedMany: publishManyAnswerSchema,
  History: historyAnswerSchema,
  Broadcasted: broadcastAnswerSchema,
  Health: healthSchema,
  Problem: problemSchema,
  HealthProblem: healthProblemSchema,
} as const satisfies Record<string, GenericSchema>;

export type SchemaName = keyof typeof SCHEMAS;
