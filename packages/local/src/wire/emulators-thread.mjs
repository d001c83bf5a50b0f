// What runs in the thread that emulators.ts starts. JavaScript, because a thread has no loader for TypeScript.
import { parentPort } from "node:worker_threads";
import dynalite from "dynalite";
import { buildApp } from "fauxqs";

const LOOPBACK = "127.0.0.1";

const dynamodb = dynalite({ createTableMs: 0 });
await new Promise((resolve) => dynamodb.listen(0, LOOPBACK, resolve));

const sqs = buildApp({ logger: false });
await sqs.listen({ port: 0, host: LOOPBACK });

parentPort?.postMessage({ dynamodbPort: dynamodb.address().port, sqsPort: sqs.server.address().port });
