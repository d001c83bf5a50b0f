import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { createHttpClient, type HttpAnswer } from "./http-client.ts";

/** The JSON protocol that DynamoDB and SQS share: `POST /`, the operation in a header, in and out a JSON object. */
const CONTENT_TYPE = "application/x-amz-json-1.0";
export const TARGET_HEADER = "x-amz-target";

export type AwsObject = Readonly<Record<string, unknown>>;

/** An operation that was refused: `message` says which, why and in whose words. */
export class AwsJsonError extends Error {
  override readonly name = "AwsJsonError";
}

export interface AwsJsonClient {
  /** Rejects with an {@link AwsJsonError} where the operation is refused, and where there is no answer. */
  call(operation: string, input: AwsObject, signal?: AbortSignal): Promise<AwsObject>;
  close(): void;
}

export interface AwsJsonClientOptions {
  readonly port: number;
  readonly service: "dynamodb" | "sqs";
  readonly region: string;
}

const TARGET_PREFIX = { dynamodb: "DynamoDB_20120810", sqs: "AmazonSQS" };

/** Speaks to an emulator or its proxy, for what the host itself asks; handlers have the SDK. */
export function createAwsJsonClient({ port, service, region }: AwsJsonClientOptions): AwsJsonClient {
  const http = createHttpClient(port);
  // The emulators read the region from a signature, and don't check it.
  const scope = `local/20260101/${region}/${service}/aws4_request`;
  const shared = {
    "content-type": CONTENT_TYPE,
    "x-amz-date": "20260101T000000Z",
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
  };
  return {
    async call(operation, input, signal) {
      const headers = { ...shared, [TARGET_HEADER]: `${TARGET_PREFIX[service]}.${operation}` };
      const answer = await http.send({ method: "POST", path: "/", headers, body: JSON.stringify(input) }, signal);
      if (answer.status === 200) return parseOutput(answer);
      throw new AwsJsonError(`${operation} was refused with ${answer.status}: ${answer.body}`);
    },
    close: http.close,
  };
}

export function parseOutput({ body }: HttpAnswer): AwsObject {
  return JSON.parse(body.toString()) as AwsObject;
}

/** The same answer with another body. */
export function withOutput({ status, headers }: HttpAnswer, output: AwsObject): HttpAnswer {
  // It would be of the body as it was; SDK v3 doesn't look at it.
  const { "x-amz-crc32": _, ...kept } = headers;
  return { status, headers: kept, body: Buffer.from(JSON.stringify(output)) };
}

/** An answer that no emulator gave. */
export function createAnswer(status: number, output: AwsObject, headers: IncomingHttpHeaders = {}): HttpAnswer {
  const requestId = { "x-amzn-requestid": randomUUID() };
  const body = Buffer.from(JSON.stringify(output));
  return { status, headers: { "content-type": CONTENT_TYPE, ...requestId, ...headers }, body };
}

/** A refusal as AWS sends it; `type` is the error's full name, as `com.amazonaws.sqs#RequestThrottled`. */
export function createRefusal(
  status: number,
  type: string,
  message: string,
  headers: IncomingHttpHeaders = {},
): HttpAnswer {
  return createAnswer(status, { __type: type, message }, headers);
}
