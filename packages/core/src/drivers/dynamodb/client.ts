import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { UnavailableError } from "../../errors.ts";

/** Bound of one call with all its retries. What "too late to matter" means in `topic-log/dynamodb-times.ts` rests on it. */
export const CALL_TIMEOUT_MS = 3_000;

/** The SDK waits between them, up to half a second the first time, where DynamoDB throttles. */
const MAX_ATTEMPTS = 3;

export interface DynamoDbClientOptions extends Pick<DynamoDBClientConfig, "endpoint" | "region" | "credentials"> {
  /** Bound of one attempt, up to the first byte of the answer; the same again for connecting. */
  readonly attemptTimeoutMs?: number;
}

/** A client that gives up soon. One a process: it keeps its connections. */
export function createDynamoDbClient(options: DynamoDbClientOptions = {}): DynamoDBClient {
  const { attemptTimeoutMs = 1_000, ...config } = options;
  return new DynamoDBClient({
    ...config,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: attemptTimeoutMs,
      requestTimeout: attemptTimeoutMs,
      // Without it the SDK only warns.
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * Runs one call. Throws `UnavailableError` where DynamoDB throttles, fails, or can't be reached in {@link CALL_TIMEOUT_MS}; then a write may or
 * may not have happened. Everything else comes through as it is: refused conditions, and our own mistakes.
 */
export async function callDynamoDb<Output>(
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> {
  // The client's own timeouts end with the first byte of an answer; this one covers the rest of it too.
  const abortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS);
  try {
    return await send({ abortSignal });
  } catch (error) {
    if (!abortSignal.aborted && !isPassing(error)) throw error;
    throw new UnavailableError("store", "DynamoDB throttled, failed, or gave no answer in time. Try again.", {
      cause: error,
    });
  }
}

const THROTTLES = new Set(["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]);

/** As the SDK throws it. Not by class: a host may run us in a realm that has other classes than the network has. */
interface SdkError {
  readonly name?: string;
  readonly $metadata?: { readonly attempts?: number; readonly httpStatusCode?: number };
}

/** Whether a later try may do better: it was sent, and either nothing came back or what came says so. */
function isPassing(error: unknown): boolean {
  const { name = "", $metadata = {} } = (error ?? {}) as SdkError;
  const { attempts, httpStatusCode } = $metadata;
  if (attempts === undefined) return false;
  return httpStatusCode === undefined || httpStatusCode >= 500 || THROTTLES.has(name);
}

/** Whether a write's condition did not hold: an outcome, not a fault. */
export function isRefusal(error: unknown): boolean {
  return (error as SdkError | undefined)?.name === "ConditionalCheckFailedException";
}
