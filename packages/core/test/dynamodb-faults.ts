import type { ServerResponse } from "node:http";
import type { DynamoDbServer, Fault } from "./dynamodb-server.ts";

/** DynamoDB throttles. */
export const throttle: Fault = (_, response) => refuse(response, 400, "ProvisionedThroughputExceededException");

export const breakDown: Fault = (_, response) => refuse(response, 500, "InternalServerError");

/** Never answers. */
export const hang: Fault = () => {};

/** Begins to answer and stops. */
export const stopInTheMiddle: Fault = (_, response) => {
  response.writeHead(200, { "Content-Type": "application/x-amz-json-1.0", "Content-Length": 1_000 });
  response.write('{"Item":');
};

/** Does what it was asked, but the answer is lost. */
export const loseAnswer: Fault = (request, response, handle) => {
  response.end = () => {
    request.socket.destroy();
    return response;
  };
  handle();
};

/** Does a fault for the first `count` requests. */
export function times(count: number, fault: Fault): Fault {
  let left = count;
  return (request, response, handle) => {
    if (left-- > 0) fault(request, response, handle);
    else handle();
  };
}

/** Does a fault for the request after the first `count`, and for no other. */
export function onlyAfter(count: number, fault: Fault): Fault {
  let seen = 0;
  return (request, response, handle) => {
    if (seen++ === count) fault(request, response, handle);
    else handle();
  };
}

/** Does nothing of a BatchWriteItem or a BatchGetItem, and says so. */
export const leaveUnprocessed: Fault = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { RequestItems } = JSON.parse(Buffer.concat(chunks).toString());
    answer(response, 200, { Responses: {}, UnprocessedItems: RequestItems, UnprocessedKeys: RequestItems });
  });
};

/** Runs something while a fault lasts. */
export async function during<T>(
  server: DynamoDbServer,
  operation: string,
  fault: Fault,
  run: () => Promise<T>,
): Promise<T> {
  const stop = server.fail(operation, fault);
  try {
    return await run();
  } finally {
    stop();
  }
}

function refuse(response: ServerResponse, status: number, name: string): void {
  answer(response, status, {
    __type: `com.amazonaws.dynamodb.v20120810#${name}`,
    message: `${name}, as a test asked for.`,
  });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
}
