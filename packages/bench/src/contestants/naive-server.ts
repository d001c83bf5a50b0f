import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/*
 * What anyone writes first: `ws`, a set of sockets for each topic, and one `send` for each of them. It speaks as much of Topicast's protocol as the
 * load generator does; it checks, numbers, keeps and logs nothing.
 */

interface Request {
  readonly action: "subscribe" | "publish";
  readonly topic: string;
  readonly id: string;
  readonly payload?: unknown;
}

const topics = new Map<string, Set<WebSocket>>();
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

function subscribersOf(topic: string): Set<WebSocket> {
  const known = topics.get(topic) ?? new Set();
  topics.set(topic, known);
  return known;
}

server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const { action, topic, id, payload } = JSON.parse(String(data)) as Request;
    if (action === "subscribe") subscribersOf(topic).add(socket);
    else publish(topic, payload);
    socket.send(JSON.stringify({ type: "ack", id, action, topic }));
  });
  socket.on("close", () => {
    for (const subscribers of topics.values()) subscribers.delete(socket);
  });
});

function publish(topic: string, payload: unknown): void {
  const messages = [{ seq: 1, payload, from: "someone", time: Date.now() }];
  const text = JSON.stringify({ type: "messages", topic, epoch: "k3f9", messages });
  for (const subscriber of subscribersOf(topic)) subscriber.send(text);
}

http.listen(0, "127.0.0.1", () => {
  const { port } = http.address() as AddressInfo;
  process.stdout.write(`ws://127.0.0.1:${port}/message-topic\n`);
});
process.once("SIGINT", () => process.exit(0));
