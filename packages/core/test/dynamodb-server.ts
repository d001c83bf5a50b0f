import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { createDynamoDbClient, type DynamoDbClientOptions } from "../src/drivers/dynamodb.ts";

const TABLE_NAME = "topicast";

/** Answers a request in place of the server, or lets it `handle` it. */
export type Fault = (request: IncomingMessage, response: ServerResponse, handle: () => void) => void;

/** DynamoDB in this process, with the one table, empty. */
export interface DynamoDbServer {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** A further client, closed with the server. */
  connect(options?: DynamoDbClientOptions): DynamoDBClient;
  /** Meets requests for an operation, such as `PutItem`, from now on; returns how to stop that. */
  fail(operation: string, fault: Fault): () => void;
  close(): Promise<void>;
}

export async function startDynamoDb(): Promise<DynamoDbServer> {
  const server = dynalite({ createTableMs: 0 });
  const faults = new Map<string, Fault>();
  const [handle] = server.listeners("request") as [(request: IncomingMessage, response: ServerResponse) => void];
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const fault = faults.get(operation);
    if (fault === undefined) handle(request, response);
    else fault(request, response, () => handle(request, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const clients: DynamoDBClient[] = [];
  function connect(options: DynamoDbClientOptions = {}): DynamoDBClient {
    // Patient, so that a busy machine is not taken for a fault.
    const patience = { attemptTimeoutMs: 3_000 };
    const client = createDynamoDbClient({ endpoint, region: "us-east-1", credentials, ...patience, ...options });
    clients.push(client);
    return client;
  }
  const client = connect();
  await createTable(client);

  return {
    client,
    tableName: TABLE_NAME,
    connect,
    fail(operation, fault) {
      faults.set(operation, fault);
      return () => faults.delete(operation);
    },
    async close() {
      for (const each of clients) each.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function createTable(client: DynamoDBClient): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: TABLE_NAME,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "p", AttributeType: "S" },
        { AttributeName: "s", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "p", KeyType: "HASH" },
        { AttributeName: "s", KeyType: "RANGE" },
      ],
    }),
  );
  const describe = new DescribeTableCommand({ TableName: TABLE_NAME });
  while ((await client.send(describe)).Table?.TableStatus !== "ACTIVE");
}
