import type { IncomingMessage } from "node:http";

/** A request's whole body, or `undefined` where it is over `maxBytes`; what is over is read but not kept. Rejects where the client breaks off. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
    });
    request.on("end", () => resolve(bytes <= maxBytes ? Buffer.concat(chunks, bytes) : undefined));
    request.on("error", reject);
    request.on("close", () => {
      if (!request.complete) reject(new Error("The client broke off."));
    });
  });
}
