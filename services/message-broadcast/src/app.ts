import { Logger } from "@aws-lambda-powertools/logger";
import {
  addressOf,
  applicationsOf,
  clockOf,
  connectionStoreOf,
  fanoutQueueOf,
  gatewayOf,
  keyCheckOf,
  limiterOf,
  tokenCheckOf,
  topicLogOf,
} from "@topicast/core/backend";
import { config } from "./config.ts";

export { broadcastEnvelope as envelope } from "./envelope.ts";

/*
 * The parts of the service, with the drivers that its environment asks for. A handler imports those that it uses; the others and their SDK
 * clients stay out of its bundle, as long as each call is marked as pure and reads no property for its arguments.
 */

const { backend } = config;
export const { allowedOrigins, settings } = config;
export const address = /* @__PURE__ */ addressOf(backend);
export const clock = /* @__PURE__ */ clockOf(backend);
export const logger = /* @__PURE__ */ new Logger({ serviceName: "message-broadcast" });
export const applications = /* @__PURE__ */ applicationsOf(config);
export const checkKey = /* @__PURE__ */ keyCheckOf(config, applications);
export const checkToken = /* @__PURE__ */ tokenCheckOf(config, applications, logger);
export const limiter = /* @__PURE__ */ limiterOf(config);
export const connections = /* @__PURE__ */ connectionStoreOf(backend);
export const log = /* @__PURE__ */ topicLogOf(backend);
export const queue = /* @__PURE__ */ fanoutQueueOf(backend);
export const gateway = /* @__PURE__ */ gatewayOf(config, logger);
