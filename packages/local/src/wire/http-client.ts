import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { buffer } from "node:stream/consumers";

export const LOOPBACK = "127.0.0.1";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Speaks HTTP to one port of this machine, over connections that it keeps. */
export interface HttpClient {
  /** Rejects where there is no whole answer, none in time, or `signal` is aborted before. */
  send(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>;
  close(): void;
}

/** Longer than the 20 s that SQS lets a request wait for messages. */
const TIMEOUT_MS = 30_000;

/** They concern one connection, or are set anew. */
const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "expect", "host", "content-length"];

export function withoutHopByHop<T extends IncomingHttpHeaders | OutgoingHttpHeaders>(headers: T): T {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name))) as T;
}

export function createHttpClient(port: number): HttpClient {
  const agent = new Agent({ keepAlive: true });
  return {
    send({ body, ...target }, signal) {
      return new Promise((resolve, reject) => {
        const abortable = signal === undefined ? {} : { signal };
        const sent = request({ agent, host: LOOPBACK, port, timeout: TIMEOUT_MS, ...target, ...abortable });
        sent.on("response", (response) => {
          const { statusCode: status = 0, headers } = response;
          buffer(response).then((answer) => resolve({ status, headers, body: answer }), reject);
        });
        sent.on("timeout", () => sent.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
        sent.on("error", reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
