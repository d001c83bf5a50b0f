import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

/*
 * A chat as Socket.IO's documentation shows it: clients join rooms, what one publishes is emitted to the room. Its defaults but for the transport: long
 * polling is another race. permessage-deflate is off, as it is by default.
 */

const http = createServer();
const server = new Server(http, { transports: ["websocket"] });

server.on("connection", (socket) => {
  socket.on("subscribe", (topic: string, acknowledge: () => void) => {
    void socket.join(topic);
    acknowledge();
  });
  socket.on("publish", (topic: string, payload: unknown) => {
    server.to(topic).emit("message", payload);
  });
});

http.listen(0, "127.0.0.1", () => {
  const { port } = http.address() as AddressInfo;
  process.stdout.write(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket\n`);
});
process.once("SIGINT", () => process.exit(0));
