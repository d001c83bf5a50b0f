import {
  ApiGatewayManagementApiClient,
  type ApiGatewayManagementApiClientConfig,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { SQSClient } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Enough for TLS to a region's endpoint; a Lambda that waits longer is paid for waiting. */
const CONNECT_TIMEOUT_MS = 1_000;
const SQS_TIMEOUT_MS = 3_000;

/** SQS, asked at most twice within a request's time. */
export function createSqsClient(): SQSClient {
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: SQS_TIMEOUT_MS,
    throwOnRequestTimeout: true,
  });
  return new SQSClient({ maxAttempts: 2, requestHandler });
}

export interface GatewayClientOptions extends Pick<ApiGatewayManagementApiClientConfig, "region" | "credentials"> {
  /** `https://{api}.execute-api.{region}.amazonaws.com/{stage}`, or a custom domain and its mapping. */
  readonly endpoint: string;
  /** Sockets kept alive. */
  readonly concurrency: number;
}

/** The management API. Its retries are off: the gateway's driver and its callers decide. */
export function createGatewayClient(options: GatewayClientOptions): ApiGatewayManagementApiClient {
  const { concurrency, ...config } = options;
  const agent = { keepAlive: true, maxSockets: concurrency };
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    httpAgent: agent,
    httpsAgent: agent,
  });
  return new ApiGatewayManagementApiClient({ ...config, maxAttempts: 1, requestHandler });
}
