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
export { pageQuerySchema } from "./page-query.ts";
export { placeFieldsSchema as placeSchema } from "./places.ts";
export {
  broadcastConnectQuerySchema,
  connectQuerySchema,
  httpDirectSchema,
  httpPublishManySchema,
  httpPublishOneSchema,
  httpPublishSchema,
  REQUEST_SCHEMAS,
  userSchema,
} from "./request-schemas.ts";
export {
  broadcastAnswerSchema,
  connectionAnswerSchema,
  healthProblemSchema,
  healthSchema,
  historyAnswerSchema,
  problemSchema,
  publishAnswerSchema,
  publishManyAnswerSchema,
  roomAnswerSchema,
  sentAnswerSchema,
  subscribersAnswerSchema,
  topicAnswerSchema,
} from "./response-schemas.ts";
export { topicSchema } from "./topic-schema.ts";
