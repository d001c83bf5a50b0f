import { Logger } from "@aws-lambda-powertools/logger";
import type { Service } from "@topicast/core";
import { embeddedPorts } from "@topicast/core/embedded";
import { config } from "./config.ts";
import { topicEnvelope } from "./envelope.ts";

/** The service with the drivers that its environment asks for. */
export const service: Service = {
  ...embeddedPorts(),
  random: Math.random,
  logger: new Logger({ serviceName: "message-topic" }),
  envelope: topicEnvelope,
  settings: config.settings,
};
