export { connectBroadcast } from "./broadcast.ts";
export { checked } from "./checked.ts";
export { connect } from "./client.ts";
export { TopicastError } from "./errors.ts";
export type { StandardSchema } from "./standard-schema.ts";
export type {
  Broadcast,
  BroadcastMessage,
  BroadcastOptions,
  Cast,
  Connection,
  ConnectionOptions,
  ConnectOptions,
  Direct,
  Lost,
  Message,
  Off,
  Place,
  PublishOptions,
  Reason,
  Socket,
  SocketConstructor,
  State,
  Topic,
  TopicastFault,
  TopicOptions,
} from "./types.ts";
