export {
  type Access,
  allow,
  allowEverywhere,
  type Caller,
  EVERYTHING,
  type Grant,
  may,
  NOTHING,
  type Operation,
  RIGHTS,
  type Right,
} from "./access.ts";
export {
  APPLICATION_NAME,
  createSealer,
  createSecret,
  formatApplicationKey,
  hashSecret,
  type KeyParts,
  parseApplicationKey,
  parseKeyName,
  signingKeyOf,
} from "./application-key.ts";
export {
  type Applications,
  CACHE_MS,
  createApplications,
  type KnownApplication,
  openApplications,
} from "./applications.ts";
export { type ApplicationsConfig, parseApplicationsConfig } from "./applications-config.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type Backend, type Config, ConfigError, type Environment, parseConfig } from "./config.ts";
export type { AllowedOrigins, ClosedDoors, Doors } from "./doors.ts";
export { isUnavailable, UnavailableError } from "./errors.ts";
export { mintToken, type TokenRequest } from "./mint-token.ts";
export {
  type AppId,
  CONNECTION_VALID_MS,
  type Connection,
  type ConnectionId,
  DEFAULT_APP,
  type Delivery,
  type DirectMessage,
  type LoggedMessage,
  MAX_SHARDS,
  type Shard,
  type Subscriber,
  type Target,
  WHOLE,
} from "./model.ts";
export { parseTopicRules, topicRulesSchema } from "./parse-topic-rules.ts";
export type { Application, ApplicationChanges, ApplicationKey, ApplicationPage, AppStore } from "./ports/app-store.ts";
export type { ConnectionGateway, ConnectionInfo, PostFailures, PostOptions } from "./ports/connection-gateway.ts";
export {
  type ConnectionPage,
  type ConnectionStore,
  type ConnectionsQuery,
  type ConnectOutcome,
  EXPIRED_KEPT_MS,
  type Freshness,
  type SubscribeInput,
  type SubscribeOutcome,
  type SubscriberPage,
  type SubscriberQuery,
} from "./ports/connection-store.ts";
export type {
  ClosingFanout,
  DirectJob,
  Fanout,
  FanoutJob,
  FanoutQueue,
  Job,
  KickJob,
  MessagesFanout,
  Recipients,
  ReplayJob,
  SendOptions,
} from "./ports/fanout-queue.ts";
export type { Ports } from "./ports/ports.ts";
export {
  GATHERED_AFTER_MS,
  type Gathering,
  type TickClaim,
  type Ticking,
  type TickMessage,
  type TickPage,
  type Ticks,
  type WakeUp,
} from "./ports/ticks.ts";
export type { Knock, TokenAuthority, Vouched } from "./ports/token-authority.ts";
export {
  type Appended,
  type Batch,
  type IdempotencyKey,
  KEY_LIFE_MS,
  type LatestPage,
  type LogPage,
  type PageOptions,
  type Retention,
  type TopicLog,
  VOID_AFTER_MS,
} from "./ports/topic-log.ts";
export { createRateLimiter, type RateLimiter } from "./rate-limiter.ts";
export type { Envelope, Logger, Service, Settings } from "./service.ts";
export { DEFAULT_RULE, type TopicRule, type TopicRules } from "./topic-rules.ts";
export { createKeyCheck, everyone, type KeyCheck } from "./use-cases/check-key.ts";
export { createOperatorCheck } from "./use-cases/check-operator.ts";
export { anyone, createTokenCheck, type TokenCheck } from "./use-cases/check-token.ts";
export { type ConnectInput, connect } from "./use-cases/connect.ts";
export { type ApplicationInput, createApplication } from "./use-cases/create-application.ts";
export { addKey, type KeyInput, type KeyService } from "./use-cases/create-key.ts";
export { deleteTopic } from "./use-cases/delete-topic.ts";
export { deliver } from "./use-cases/deliver.ts";
export { describeTopic, type TopicDescription } from "./use-cases/describe-topic.ts";
export { endConnection } from "./use-cases/end-connection.ts";
export { findBehind } from "./use-cases/find-behind.ts";
export { findSender } from "./use-cases/find-sender.ts";
export { kick, kickUser } from "./use-cases/kick.ts";
export { type ListedSubscriber, listSubscribers, type SubscriberList } from "./use-cases/list-subscribers.ts";
export { lookAtConnection, type SeenConnection } from "./use-cases/look-at-connection.ts";
export { type PublishInput, publish } from "./use-cases/publish.ts";
export { type History, type HistoryInput, readHistory } from "./use-cases/read-history.ts";
export { type Sent, sendToConnection, sendToUser } from "./use-cases/send-direct.ts";
export { type Subscribed, type SubscribeTo, subscribe } from "./use-cases/subscribe.ts";
