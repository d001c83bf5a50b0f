export {
  type BroadcastMarks,
  DEFAULT_ROOM,
  encodeBroadcast,
  isBroadcastPing,
  parseBroadcast,
  wrapBroadcast,
} from "./broadcast.ts";
export { decodeFrame, encodeFrame, encodeMessages, type MessagesHead } from "./codec.ts";
export { CODES, type CodeMeaning, type ErrorCode, type Fault, ok, type Result, refuse } from "./codes.ts";
export type { AckFrame, ErrorFrame, Message, MessagesFrame, Place, PongFrame, ServerFrame } from "./frames.ts";
export { type HttpPublish, type HttpPublishOfMany, parseHttpPublish, parseHttpPublishMany } from "./http-requests.ts";
export { parseClientSecret } from "./identity.ts";
export { isJsonObject, type Json, type JsonObject, parseJson, utf8Length } from "./json.ts";
export {
  MAX_BATCH,
  MAX_CLIENT_FRAME_BYTES,
  MAX_HTTP_BODY_BYTES,
  MAX_HTTP_PAYLOAD_BYTES,
  MAX_JSON_DEPTH,
  MAX_NAME_LENGTH,
  MAX_SERVER_FRAME_BYTES,
  MAX_SERVER_FRAME_DEPTH,
  MAX_TOPIC_LENGTH,
} from "./limits.ts";
export {
  type Action,
  type ClientRequest,
  type ParsedRequest,
  type PingRequest,
  type PublishRequest,
  parseRequest,
  type RequestHead,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from "./requests.ts";
export { parseTopic, type Topic } from "./topic-name.ts";
