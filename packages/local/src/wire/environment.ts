import { devNull } from "node:os";
import type { Environment } from "../backend.ts";
import type { Credentials } from "../credentials.ts";

export interface HandlerEnvironmentOptions {
  readonly region: string;
  readonly credentials: Credentials;
  readonly dynamodbUrl: string;
  readonly sqsUrl: string;
  readonly gatewayEndpoint: string;
}

/** What lets SDK clients that a handler makes without any options find the emulators. The names are the SDK's own. */
export function createHandlerEnvironment(options: HandlerEnvironmentOptions): Environment {
  return {
    STORE: "dynamodb",
    GATEWAY_ENDPOINT: options.gatewayEndpoint,
    AWS_REGION: options.region,
    AWS_ENDPOINT_URL_DYNAMODB: options.dynamodbUrl,
    AWS_ENDPOINT_URL_SQS: options.sqsUrl,
    AWS_ACCESS_KEY_ID: options.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: options.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: options.credentials.sessionToken,
    // Handlers are deployed with a newer Node, whatever the host runs on.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    // A Lambda has no such files, a developer may.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}
