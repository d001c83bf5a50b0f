// What runs in the thread that emulators.ts starts. JavaScript, because a thread has no loader for TypeScript.
import { once } from "node:events";
import { parentPort } from "node:worker_threads";
import dynalite from "dynalite";
import { buildApp } from "fauxqs";

const LOOPBACK = "127.0.0.1";

/** Each host asks with a port of its own, which says where its emulators are and, by a message, when they are to end. */
parentPort?.on("message", async (port) => {
  const dynamodb = dynalite({ createTableMs: 0 });
  await new Promise((resolve) => dynamodb.listen(0, LOOPBACK, resolve));
  const sqs = buildApp({ logger: false });
  await sqs.listen({ port: 0, host: LOOPBACK });
  port.postMessage({ dynamodbPort: dynamodb.address().port, sqsPort: sqs.server.address().port });

  await once(port, "message");
  dynamodb.closeAllConnections();
  sqs.server.closeAllConnections();
  await Promise.all([new Promise((resolve) => dynamodb.close(resolve)), sqs.close()]);
  port.close();
});
