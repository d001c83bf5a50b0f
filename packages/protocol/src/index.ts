export {
  type BroadcastMarks,
  DEFAULT_ROOM,
  encodeBroadcast,
  isBroadcastPing,
  parseBroadcast,
  wrapBroadcast,
} from "./broadcast.ts";
export {
  decodeFrame,
  encodeFrame,
  encodeMessages,
  type FitOptions,
  fitMessages,
  type MessagesHead,
} from "./codec.ts";
export { CODES, type CodeMeaning, type ErrorCode, type Fault, ok, type Result, refuse } from "./codes.ts";
export { type HttpDirect, parseHttpDirect, parseUser } from "./direct-request.ts";
export type {
  AckFrame,
  ClosingFrame,
  DirectFrame,
  ErrorFrame,
  Message,
  MessagesFrame,
  Place,
  PongFrame,
  RecoveryFrame,
  ServerFrame,
} from "./frames.ts";
export { type HistoryQuery, parseHistoryQuery } from "./history-query.ts";
export {
  type HttpPublish,
  type HttpPublishOfMany,
  parseHttpPublish,
  parseHttpPublishMany,
  parseIdempotencyKey,
} from "./http-requests.ts";
export { parseClientSecret } from "./identity.ts";
export { isJsonObject, type Json, type JsonObject, parseJson, utf8Length } from "./json.ts";
export {
  DEFAULT_PAGE_LIMIT,
  MAX_BATCH,
  MAX_CLIENT_FRAME_BYTES,
  MAX_HTTP_BODY_BYTES,
  MAX_HTTP_PAYLOAD_BYTES,
  MAX_JSON_DEPTH,
  MAX_NAME_LENGTH,
  MAX_PAGE_LIMIT,
  MAX_PLACES,
  MAX_SERVER_FRAME_BYTES,
  MAX_SERVER_FRAME_DEPTH,
  MAX_SUBSCRIBE_LAST,
  MAX_SUBSCRIBERS_LIMIT,
  MAX_TOPIC_LENGTH,
  MAX_USER_LENGTH,
} from "./limits.ts";
export { type PageQuery, parsePageQuery } from "./page-query.ts";
export { parseSince, type TopicPlace } from "./places.ts";
export { createReceiver, type Lost, type Received, type ReceivedPage, type Receiver } from "./receiver.ts";
export {
  type Action,
  type ClientRequest,
  type HistoryRequest,
  type ParsedRequest,
  type PingRequest,
  type PublishRequest,
  parseRequest,
  type RequestHead,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from "./requests.ts";
export { payloadBytes } from "./schema.ts";
export { parseTopic, type Topic } from "./topic-name.ts";
export { matchesTopic, parseTopicPattern, type TopicPattern } from "./topic-pattern.ts";
