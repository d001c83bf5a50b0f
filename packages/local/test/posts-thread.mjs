// `@connections` of an API whose connections are all there, in a thread of its own. JavaScript, because a thread has no loader for TypeScript.
import { createServer } from "node:http";
import { parentPort } from "node:worker_threads";

/** By message, how often each connection was posted it. */
const posts = new Map();
let total = 0;

function count(connectionId, frame) {
  total += 1;
  for (const { seq } of JSON.parse(frame).messages) {
    const counts = posts.get(seq) ?? new Map();
    posts.set(seq, counts);
    counts.set(connectionId, (counts.get(connectionId) ?? 0) + 1);
  }
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    count(decodeURIComponent(request.url.split("/").at(-1)), Buffer.concat(chunks).toString());
    response.end();
  });
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));

/** A message's number is answered with whom it was posted to, and how often; "total" with the number of all posts. */
parentPort.on("message", (seq) => parentPort.postMessage(seq === "total" ? total : [...(posts.get(seq) ?? [])]));
