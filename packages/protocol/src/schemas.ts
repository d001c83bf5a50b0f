export { broadcastMessageSchema } from "./broadcast-schema.ts";
export {
  ackFrameSchema,
  closingFrameSchema,
  directFrameSchema,
  errorFrameSchema,
  messageSchema,
  messagesFrameSchema,
  pongFrameSchema,
  recoveryFrameSchema,
} from "./frame-schemas.ts";
export { historyQuerySchema } from "./history-query.ts";
export { idempotencyKeySchema } from "./http-requests.ts";
export { placeFieldsSchema as placeSchema } from "./places.ts";
export {
  broadcastConnectQuerySchema,
  connectQuerySchema,
  httpPublishManySchema,
  httpPublishOneSchema,
  httpPublishSchema,
  REQUEST_SCHEMAS,
} from "./request-schemas.ts";
export {
  broadcastAnswerSchema,
  healthProblemSchema,
  healthSchema,
  historyAnswerSchema,
  problemSchema,
  publishAnswerSchema,
  publishManyAnswerSchema,
} from "./response-schemas.ts";
export { topicSchema } from "./topic-schema.ts";
