import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface HttpAnswers {
  readonly url: string;
  /** Every request, oldest first. */
  readonly asked: readonly Asked[];
  /** How requests are answered from now on. */
  answer(answer: (response: ServerResponse, asked: Asked) => void): void;
  close(): Promise<void>;
}

/** A real HTTP server on this machine that answers as a test says. */
export async function startHttpAnswers(): Promise<HttpAnswers> {
  const asked: Asked[] = [];
  let answer: (response: ServerResponse, asked: Asked) => void = (response) => void response.writeHead(404).end();
  const server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    const one = { method, path, headers, body: await text(request) };
    asked.push(one);
    answer(response, one);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    answer: (next) => {
      answer = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers with JSON. */
export function jsonAnswer(body: unknown, status = 200) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
}
