import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/* An `@connections` that takes every post, after as many ms as its parameter says; a process of its own, so that what it costs isn't the driver's. */

const latencyMs = Number(process.argv[2]);

const server = createServer(async (request, response) => {
  await request.resume().toArray();
  setTimeout(() => response.end(), latencyMs);
});

server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit(0));
