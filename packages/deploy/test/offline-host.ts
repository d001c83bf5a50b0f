import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { createCheckout } from "./serverless.ts";

const HOST = "127.0.0.1";
const REGION = "us-east-1";
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };
const TABLE_NAME = "topicast";
/** Nobody answers there: serverless-offline has no SQS, and topics this small never reach the queue. */
const NO_QUEUE = "http://127.0.0.1:9/queue";

/** A service under `serverless offline`, which others wrote, with DynamoDB's API behind it. */
export interface OfflineHost {
  readonly wsUrl: string;
  readonly httpUrl: string;
  close(): Promise<void>;
}

export async function startOffline(service: string): Promise<OfflineHost> {
  const [checkout, database, ports] = await Promise.all([createCheckout(), startDatabase(), findFreePorts()]);
  const { webSocket, http, lambda } = ports;
  const options = { host: HOST, httpPort: http, websocketPort: webSocket, lambdaPort: lambda };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const offline = checkout.start(service, ["offline", "--noSponsor", ...flags], {
    OPEN: "yes",
    TABLE_NAME,
    FANOUT_QUEUE_URL: NO_QUEUE,
    DEAD_LETTER_QUEUE_URL: NO_QUEUE,
    GATEWAY_ENDPOINT: `http://${HOST}:${webSocket}`,
    AWS_ENDPOINT_URL_DYNAMODB: database.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  });
  async function close(): Promise<void> {
    await offline.stop();
    await Promise.all([database.close(), checkout.remove()]);
  }
  try {
    await Promise.all([offline.wrote("Server ready"), offline.wrote("Offline [http for websocket] listening")]);
  } catch (error) {
    // Nobody else could.
    await close();
    throw error;
  }
  return { wsUrl: `ws://${HOST}:${webSocket}`, httpUrl: `http://${HOST}:${http}`, close };
}

async function startDatabase() {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, HOST);
  await once(server, "listening");
  const url = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({ endpoint: url, region: REGION, credentials: CREDENTIALS });
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
  client.destroy();
  return {
    url,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Ports that were free a moment ago: serverless-offline can't be asked for any free one. */
async function findFreePorts() {
  const servers = [createServer(), createServer(), createServer()] as const;
  await Promise.all(servers.map((server) => once(server.listen(0, HOST), "listening")));
  const [webSocket, http, lambda] = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return { webSocket, http, lambda };
}
