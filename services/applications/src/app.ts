import { Logger } from "@aws-lambda-powertools/logger";
import { createOperatorCheck } from "@topicast/core";
import { appStoreOf, clockOf, sealerOf } from "@topicast/core/backend";
import { config } from "./config.ts";

/* The parts of the service, with the drivers that its environment asks for. */

const { backend, operator } = config;
export const { allowedOrigins } = config;
export const clock = clockOf(backend);
export const logger = new Logger({ serviceName: "applications" });
export const apps = appStoreOf(backend);
export const checkOperator = createOperatorCheck(operator?.keyHash);
/** Where there is no operator, nobody comes as far as to have a key made. */
export const sealer =
  operator === undefined ? () => Promise.reject(new Error("There is no operator.")) : sealerOf(operator.encryptionKey);
